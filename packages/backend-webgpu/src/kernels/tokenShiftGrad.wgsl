// gx[t] = gy[t + 1] inside a sequence, glast at its last token; gprev = gy at its first token, glast when it has none.
// One invocation a channel of a sequence.

struct Params { count: u32, width: u32, tokens: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> starts: array<i32>; // [S + 1], count = S · width
@group(0) @binding(2) var<storage, read> gy: array<f32>; // [tokens, width]
@group(0) @binding(3) var<storage, read> glast: array<f32>; // [S, width]
@group(0) @binding(4) var<storage, read_write> gx: array<f32>; // [tokens, width]
@group(0) @binding(5) var<storage, read_write> gprev: array<f32>; // [S, width]

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
  let range = clamp_range(starts[sequence], starts[sequence + 1u], params.tokens);
  var after = glast[i];
  for (var t = range.y; t > range.x; t--) {
    let at = (t - 1u) * params.width + channel;
    gx[at] = after;
    after = gy[at];
  }
  gprev[i] = after;
}
