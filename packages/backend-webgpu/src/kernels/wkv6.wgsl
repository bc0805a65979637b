// y = r (S + u ⊙ kᵀ v);  S = diag(exp lw) S + kᵀ v. One workgroup a head of a sequence, one invocation a column of S.

override D: u32; // head size
override POOLED: bool;
override PER_TOKEN: bool; // the decay changes from token to token

struct Params {
  count: u32, // sequences · heads
  heads: u32,
  tokens: u32,
  rows: u32,
  starts_at: u32, // where the parts of packed begin; u at 0
  slots_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> r: array<f32>; // [tokens, heads, D]
@group(0) @binding(2) var<storage, read> lw: array<f32>; // [tokens, heads, D] or [heads, D]
@group(0) @binding(3) var<storage, read> k: array<f32>; // [tokens, heads, D]
@group(0) @binding(4) var<storage, read> v: array<f32>; // [tokens, heads, D]
@group(0) @binding(5) var<storage, read> packed: array<u32>; // u [heads, D], starts [S + 1], slots [S]
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [rows, heads, D key, D value]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [tokens, heads, D]

var<workgroup> r_t: array<f32, D>;
var<workgroup> w_t: array<f32, D>;
var<workgroup> k_t: array<f32, D>;
var<workgroup> u_h: array<f32, D>;

@compute @workgroup_size(D)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  if index >= params.count {
    return;
  }
  let sequence = index / params.heads;
  let head = index % params.heads;
  var row = sequence;
  if POOLED {
    row = packed[params.slots_at + sequence];
  }
  if row >= params.rows {
    return;
  }
  let starts_at = params.starts_at + sequence;
  let range = clamp_range(bitcast<i32>(packed[starts_at]), bitcast<i32>(packed[starts_at + 1u]), params.tokens);
  let column = (row * params.heads + head) * D * D + lane;
  u_h[lane] = bitcast<f32>(packed[head * D + lane]);
  for (var t = range.x; t < range.y; t++) {
    let at = (t * params.heads + head) * D + lane;
    workgroupBarrier();
    r_t[lane] = r[at];
    w_t[lane] = exp_safe(lw[select(head * D + lane, at, PER_TOKEN)]);
    k_t[lane] = k[at];
    workgroupBarrier();
    let value = v[at];
    var sum = 0.0;
    for (var i = 0u; i < D; i++) {
      let s = state[column + i * D];
      let kv = k_t[i] * value;
      sum += r_t[i] * (s + u_h[i] * kv);
      state[column + i * D] = s * w_t[i] + kv;
    }
    y[at] = sum;
  }
}
