// From projections to what the output projection of RWKV-7's time mix takes: keys and values, memory, norm, bonus, gate.
// One workgroup a head of a sequence, one invocation a row of S, which it keeps in registers.

override D: u32; // head size, at most 64
override POOLED: bool;
override FIRST: bool; // the first layer, whose v all others take

struct Params {
  count: u32, // sequences · heads
  heads: u32,
  tokens: u32,
  rows: u32,
  eps: f32,
  k_k: u32, // elements of vectors
  k_a: u32,
  r_k: u32,
  ln_w: u32,
  ln_b: u32,
  r: u32, // elements of projected
  k: u32,
  v: u32,
  lw: u32, // elements of streams
  a: u32,
  g: u32,
  mix: u32, // of v and v_first; where FIRST, there is none
  out: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> projected: array<f32>; // r, k, v [tokens, heads, D]
@group(0) @binding(2) var<storage, read_write> streams: array<f32>; // lw, a, g, mix, out [tokens, heads, D]
@group(0) @binding(3) var<storage, read> vectors: array<f32>; // [heads, D] each
@group(0) @binding(4) var<storage, read> starts: array<i32>; // [sequences + 1]
@group(0) @binding(5) var<storage, read> slots: array<i32>; // [sequences] when POOLED
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>; // [rows, heads, D value, D key / 4]
@group(0) @binding(7) var<storage, read> v_first: array<f32>; // [tokens, heads, D] unless FIRST
@group(0) @binding(8) var<storage, read_write> v_first_after: array<f32>; // the same, or v where FIRST

var<workgroup> r_t: array<f32, D>;
var<workgroup> w_t: array<f32, D>;
var<workgroup> k_t: array<f32, D>;
var<workgroup> a_t: array<f32, D>;
var<workgroup> b_t: array<f32, D>;

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
  let line = ((row * params.heads + head) * D + lane) * (D / 4u);
  let channel = head * D + lane;
  let k_k = vectors[params.k_k + channel];
  let k_a = vectors[params.k_a + channel];
  let r_k = vectors[params.r_k + channel];
  var s: array<vec4f, 16>;
  for (var j = 0u; j < D / 4u; j++) {
    s[j] = state[line + j];
  }
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.heads * D + channel;
    let r = projected[params.r + at];
    let key = projected[params.k + at];
    let rate = streams[params.a + at];
    let removal = key * k_k;
    let length = sqrt(group_sum(lane, removal * removal));
    let kk = removal / max(length, 1.0e-12);
    let k = key * (1.0 + (rate - 1.0) * k_a);
    var v = projected[params.v + at];
    if FIRST {
      v_first_after[at] = v;
    } else {
      let first = v_first[at];
      v_first_after[at] = first;
      v += (first - v) * streams[params.mix + at];
    }
    workgroupBarrier();
    r_t[lane] = r;
    w_t[lane] = exp_safe(streams[params.lw + at]);
    k_t[lane] = k;
    a_t[lane] = -kk;
    b_t[lane] = kk * rate;
    workgroupBarrier();
    var four = vec4f();
    for (var j = 0u; j < D / 4u; j++) {
      four += s[j] * vec4f(a_t[4u * j], a_t[4u * j + 1u], a_t[4u * j + 2u], a_t[4u * j + 3u]);
    }
    let removed = four.x + four.y + four.z + four.w;
    var sum = vec4f();
    for (var j = 0u; j < D / 4u; j++) {
      let i = 4u * j;
      let now = s[j] * vec4f(w_t[i], w_t[i + 1u], w_t[i + 2u], w_t[i + 3u])
        + removed * vec4f(b_t[i], b_t[i + 1u], b_t[i + 2u], b_t[i + 3u])
        + v * vec4f(k_t[i], k_t[i + 1u], k_t[i + 2u], k_t[i + 3u]);
      s[j] = now;
      sum += now * vec4f(r_t[i], r_t[i + 1u], r_t[i + 2u], r_t[i + 3u]);
    }
    let y = sum.x + sum.y + sum.z + sum.w;
    let both = group_sum2(lane, vec2f(y, r * k * r_k));
    let d = y - both.x / f32(D);
    let scale = 1.0 / sqrt(group_sum(lane, d * d) / f32(D) + params.eps);
    let normed = d * scale * vectors[params.ln_w + channel] + vectors[params.ln_b + channel];
    streams[params.out + at] = (normed + both.y * v) * streams[params.g + at];
  }
  for (var j = 0u; j < D / 4u; j++) {
    state[line + j] = s[j];
  }
}
