// The average of RWKV-4, its sums scaled by e^{−pp}. One invocation a channel of a sequence.

override POOLED: bool;

struct Params { count: u32, width: u32, tokens: u32, rows: u32, u_at: u32, starts_at: u32, slots_at: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> k: array<f32>; // [tokens, width]
@group(0) @binding(2) var<storage, read> v: array<f32>; // [tokens, width]
@group(0) @binding(3) var<storage, read> packed: array<u32>; // w, u [width], starts [S + 1], slots [S]; count = S · width
@group(0) @binding(4) var<storage, read_write> aa: array<f32>; // [rows, width]
@group(0) @binding(5) var<storage, read_write> bb: array<f32>; // [rows, width]
@group(0) @binding(6) var<storage, read_write> pp: array<f32>; // [rows, width]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [tokens, width]

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
    row = packed[params.slots_at + sequence];
  }
  if row >= params.rows {
    return;
  }
  let starts_at = params.starts_at + sequence;
  let range = clamp_range(bitcast<i32>(packed[starts_at]), bitcast<i32>(packed[starts_at + 1u]), params.tokens);
  let w = bitcast<f32>(packed[channel]);
  let u = bitcast<f32>(packed[params.u_at + channel]);
  let state = row * params.width + channel;
  var a = aa[state];
  var b = bb[state];
  var p = pp[state];
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.width + channel;
    let key = k[at];
    let value = v[at];
    var q = max(p, u + key);
    var e = exp_safe(p - q);
    var f = exp_safe(u + key - q);
    y[at] = (e * a + f * value) / (e * b + f);
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
