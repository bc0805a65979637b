// S = S diag(exp lw) + (S a) bᵀ + v kᵀ;  y = S r. One workgroup a head of a sequence, one invocation a row of S.

override D: u32; // head size
override POOLED: bool;

struct Params {
  count: u32, // sequences · heads
  heads: u32,
  tokens: u32,
  rows: u32,
  b_at: u32, // where the parts of packed begin; a at 0
  starts_at: u32,
  slots_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> r: array<f32>; // [tokens, heads, D]
@group(0) @binding(2) var<storage, read> lw: array<f32>; // [tokens, heads, D]
@group(0) @binding(3) var<storage, read> k: array<f32>; // [tokens, heads, D]
@group(0) @binding(4) var<storage, read> v: array<f32>; // [tokens, heads, D]
@group(0) @binding(5) var<storage, read> packed: array<u32>; // a, b [tokens, heads, D], starts [S + 1], slots [S]
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [rows, heads, D value, D key]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [tokens, heads, D]

var<workgroup> r_t: array<f32, D>;
var<workgroup> w_t: array<f32, D>;
var<workgroup> k_t: array<f32, D>;
var<workgroup> a_t: array<f32, D>;
var<workgroup> b_t: array<f32, D>;

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
  let line = ((row * params.heads + head) * D + lane) * D;
  for (var t = range.x; t < range.y; t++) {
    let at = (t * params.heads + head) * D + lane;
    workgroupBarrier();
    r_t[lane] = r[at];
    w_t[lane] = exp_safe(lw[at]);
    k_t[lane] = k[at];
    a_t[lane] = bitcast<f32>(packed[at]);
    b_t[lane] = bitcast<f32>(packed[params.b_at + at]);
    workgroupBarrier();
    var removed = 0.0;
    for (var j = 0u; j < D; j++) {
      removed += state[line + j] * a_t[j];
    }
    let value = v[at];
    var sum = 0.0;
    for (var j = 0u; j < D; j++) {
      let s = state[line + j] * w_t[j] + removed * b_t[j] + value * k_t[j];
      state[line + j] = s;
      sum += s * r_t[j];
    }
    y[at] = sum;
  }
}
