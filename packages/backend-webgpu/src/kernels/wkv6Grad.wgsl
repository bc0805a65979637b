// Gradient of wkv6: forward, keeping a state every CHUNK tokens; then chunk by chunk back, its states made again from
// the kept one. One workgroup a head of a sequence; an invocation has row i = lane of S, then column j = lane.

override D: u32; // head size
override PER_TOKEN: bool; // the decay changes from token to token

const CHUNK = 16u;

struct Params {
  count: u32, // sequences · heads
  heads: u32,
  tokens: u32,
  sequences: u32,
  r: u32, // where the parts of packed begin
  lw: u32,
  k: u32,
  v: u32,
  u: u32,
  s0: u32,
  starts: u32,
  gy: u32,
  gs: u32,
  work: u32, // where the states of the chunk at hand begin
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>; // all inputs
@group(0) @binding(2) var<storage, read_write> states: array<f32>; // kept [chunks, heads, D, D], at hand [count, CHUNK + 1, D, D]
// gr, glw, gk, gv [tokens, heads, D], gs0 [count, D, D], gu of each sequence [count, D]
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;

fn number(at: u32) -> f32 {
  return bitcast<f32>(packed[at]);
}

/// How much of row `lane` of the state is kept at the token whose row is `at`.
fn decay(at: u32, head: u32, lane: u32) -> f32 {
  return exp_safe(number(params.lw + select(head * D, at, PER_TOKEN) + lane));
}

/// One row of the state after a token, from that before it; both may be the same memory.
fn advance(before: u32, after: u32, at: u32, head: u32, lane: u32) {
  let keep = decay(at, head, lane);
  let key = number(params.k + at + lane);
  for (var j = 0u; j < D; j++) {
    states[after + j] = keep * states[before + j] + key * number(params.v + at + j);
  }
}

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
  let starts_at = params.starts + sequence;
  let range = clamp_range(bitcast<i32>(packed[starts_at]), bitcast<i32>(packed[starts_at + 1u]), params.tokens);
  let area = D * D;
  let line = lane * D;
  let chunks = (range.y - range.x + CHUNK - 1u) / CHUNK;
  let first_kept = range.x / CHUNK + sequence;
  let work = params.work + index * (CHUNK + 1u) * area;

  for (var j = 0u; j < D; j++) {
    states[work + line + j] = number(params.s0 + index * area + line + j);
  }
  for (var c = 0u; c < chunks; c++) {
    let kept = ((first_kept + c) * params.heads + head) * area;
    for (var j = 0u; j < D; j++) {
      states[kept + line + j] = states[work + line + j];
    }
    let begin = range.x + c * CHUNK;
    for (var t = begin; t < min(begin + CHUNK, range.y); t++) {
      advance(work + line, work + line, (t * params.heads + head) * D, head, lane);
    }
  }

  let stream = params.tokens * params.heads * D;
  let g = 4u * stream + index * area; // gradient of S after token t
  for (var j = 0u; j < D; j++) {
    grads[g + line + j] = number(params.gs + index * area + line + j);
  }
  let bonus = number(params.u + head * D + lane);
  var gu = 0.0;
  for (var c = chunks; c > 0u; c--) {
    let kept = ((first_kept + c - 1u) * params.heads + head) * area;
    for (var j = 0u; j < D; j++) {
      states[work + line + j] = states[kept + line + j];
    }
    let begin = range.x + (c - 1u) * CHUNK;
    let end = min(begin + CHUNK, range.y);
    for (var t = begin; t < end; t++) {
      let before = work + (t - begin) * area + line;
      advance(before, before + area, (t * params.heads + head) * D, head, lane);
    }
    for (var t = end; t > begin; t--) {
      let before = work + (t - 1u - begin) * area;
      let at = ((t - 1u) * params.heads + head) * D;
      workgroupBarrier();
      storageBarrier();

      var ruk = 0.0; // Σ r u k
      var vgy = 0.0; // v · gy
      var gv = 0.0;
      for (var i = 0u; i < D; i++) {
        let key = number(params.k + at + i);
        ruk += number(params.r + at + i) * number(params.u + head * D + i) * key;
        vgy += number(params.v + at + i) * number(params.gy + at + i);
        gv += grads[g + i * D + lane] * key;
      }
      grads[3u * stream + at + lane] = gv + ruk * number(params.gy + at + lane);
      workgroupBarrier();
      storageBarrier();

      let r = number(params.r + at + lane);
      let k = number(params.k + at + lane);
      let keep = decay(at, head, lane);
      var gr = bonus * k * vgy;
      var gk = bonus * r * vgy;
      var glw = 0.0;
      for (var j = 0u; j < D; j++) {
        let own = grads[g + line + j];
        let s = states[before + line + j];
        let gy = number(params.gy + at + j);
        gr += s * gy;
        gk += own * number(params.v + at + j);
        glw += own * keep * s;
        grads[g + line + j] = keep * own + r * gy;
      }
      grads[at + lane] = gr;
      grads[stream + at + lane] = glw;
      grads[2u * stream + at + lane] = gk;
      gu += r * k * vgy;
    }
  }
  grads[4u * stream + params.count * area + index * D + lane] = gu;
}
