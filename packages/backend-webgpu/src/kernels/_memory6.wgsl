// From projections to what the output projection of RWKV-5's and 6's time mix takes: memory, norm, gate. One workgroup a
// head of a sequence, one invocation a column of S, which it keeps in registers.

override D: u32; // head size, at most 64
override POOLED: bool;
override PER_TOKEN: bool; // the decay changes from token to token
override GATED: bool;

struct Params {
  count: u32, // sequences · heads
  heads: u32,
  tokens: u32,
  rows: u32,
  eps: f32,
  u: u32, // elements of vectors
  ln_w: u32,
  ln_b: u32,
  lw: u32, // element of vectors, or of streams where PER_TOKEN
  r: u32, // elements of projected
  k: u32,
  v: u32,
  g: u32,
  out: u32, // element of streams
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> projected: array<f32>; // r, k, v, g [tokens, heads, D]
@group(0) @binding(2) var<storage, read_write> streams: array<f32>; // lw, out [tokens, heads, D]
@group(0) @binding(3) var<storage, read> vectors: array<f32>; // [heads, D] each
@group(0) @binding(4) var<storage, read> starts: array<i32>; // [sequences + 1]
@group(0) @binding(5) var<storage, read> slots: array<i32>; // [sequences] when POOLED
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [rows, heads, D key, D value]

var<workgroup> r_t: array<f32, D>;
var<workgroup> w_t: array<f32, D>;
var<workgroup> k_t: array<f32, D>;
var<workgroup> u_h: array<f32, D>;

@compute @workgroup_size(WG)
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
    row = u32(slots[sequence]);
  }
  if row >= params.rows {
    return;
  }
  let range = clamp_range(starts[sequence], starts[sequence + 1u], params.tokens);
  let column = (row * params.heads + head) * D * D + lane;
  let channel = head * D + lane;
  u_h[lane] = vectors[params.u + channel];
  var s: array<f32, 64>;
  for (var i = 0u; i < D; i++) {
    s[i] = state[column + i * D];
  }
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.heads * D + channel;
    var lw: f32;
    if PER_TOKEN {
      lw = streams[params.lw + at];
    } else {
      lw = vectors[params.lw + channel];
    }
    workgroupBarrier();
    r_t[lane] = projected[params.r + at];
    w_t[lane] = exp_safe(lw);
    k_t[lane] = projected[params.k + at];
    workgroupBarrier();
    let v = projected[params.v + at];
    var y = 0.0;
    for (var i = 0u; i < D; i++) {
      let kv = k_t[i] * v;
      y += r_t[i] * (s[i] + u_h[i] * kv);
      s[i] = s[i] * w_t[i] + kv;
    }
    let d = y - group_sum(lane, y) / f32(D);
    let scale = 1.0 / sqrt(group_sum(lane, d * d) / f32(D) + params.eps);
    var out = d * scale * vectors[params.ln_w + channel] + vectors[params.ln_b + channel];
    if GATED {
      out *= projected[params.g + at];
    }
    streams[params.out + at] = out;
  }
  for (var i = 0u; i < D; i++) {
    state[column + i * D] = s[i];
  }
}
