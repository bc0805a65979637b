// From projections to what the output projection of RWKV-4's time mix takes: the average, its sums scaled by e^{−pp}, and
// the receptance. One invocation a channel of a sequence.

override POOLED: bool;

struct Params {
  count: u32, // sequences · width
  width: u32,
  tokens: u32,
  rows: u32,
  w: u32, // elements of vectors
  u: u32,
  k: u32, // elements of projected
  v: u32,
  r: u32,
  out: u32, // element of streams
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> projected: array<f32>; // k, v, r [tokens, width]
@group(0) @binding(2) var<storage, read_write> streams: array<f32>; // out [tokens, width]
@group(0) @binding(3) var<storage, read> vectors: array<f32>; // w, u [width]
@group(0) @binding(4) var<storage, read> starts: array<i32>; // [sequences + 1]
@group(0) @binding(5) var<storage, read> slots: array<i32>; // [sequences] when POOLED
@group(0) @binding(6) var<storage, read_write> aa: array<f32>; // [rows, width]
@group(0) @binding(7) var<storage, read_write> bb: array<f32>; // [rows, width]
@group(0) @binding(8) var<storage, read_write> pp: array<f32>; // [rows, width]

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
  let w = vectors[params.w + channel];
  let u = vectors[params.u + channel];
  let state = row * params.width + channel;
  var a = aa[state];
  var b = bb[state];
  var p = pp[state];
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.width + channel;
    let key = projected[params.k + at];
    let value = projected[params.v + at];
    var q = max(p, u + key);
    var e = exp_safe(p - q);
    var f = exp_safe(u + key - q);
    streams[params.out + at] = projected[params.r + at] * ((e * a + f * value) / (e * b + f));
    q = max(p + w, key);
    e = exp_safe(p + w - q);
    f = exp_safe(key - q);
    a = e * a + f * value;
    b = e * b + f;
    p = q;
  }
  aa[state] = a;
  bb[state] = b;
  pp[state] = p;
}
