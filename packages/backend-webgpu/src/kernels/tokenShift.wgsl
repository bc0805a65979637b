// y[t] = x[t − 1] inside a sequence, the state at its first token; the state becomes its last token. One invocation a
// channel of a sequence: so the state is read before it is written.

override POOLED: bool;

struct Params { count: u32, width: u32, tokens: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [tokens, width]
@group(0) @binding(2) var<storage, read> starts: array<i32>; // [S + 1], count = S · width
@group(0) @binding(3) var<storage, read> slots: array<i32>; // [S] when POOLED
@group(0) @binding(4) var<storage, read_write> state: array<f32>; // [rows, width]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [tokens, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i >= params.count {
    return;
  }
  let sequence = i / params.width;
  let channel = i % params.width;
  var row = sequence;
  if POOLED {
    row = u32(slots[sequence]);
  }
  if row >= params.rows {
    return;
  }
  let range = clamp_range(starts[sequence], starts[sequence + 1u], params.tokens);
  var before = state[row * params.width + channel];
  for (var t = range.x; t < range.y; t++) {
    let now = x[t * params.width + channel];
    y[t * params.width + channel] = before;
    before = now;
  }
  state[row * params.width + channel] = before;
}
