// Gradient of wkv7: forward, keeping a state every CHUNK tokens; then chunk by chunk back, its states made again from
// the kept one. One workgroup a head of a sequence; an invocation has row i = lane of S, then column j = lane.

override D: u32; // head size

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
  a: u32,
  b: u32,
  s0: u32,
  starts: u32,
  gy: u32,
  gs: u32,
  work: u32, // where the states of the chunk at hand begin
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>; // all inputs
@group(0) @binding(2) var<storage, read_write> states: array<f32>; // kept [chunks, heads, D, D], at hand [count, CHUNK + 1, D, D]
@group(0) @binding(3) var<storage, read_write> grads: array<f32>; // gr, glw, gk, gv, ga, gb [tokens, heads, D], gs0 [count, D, D]

var<workgroup> removed_t: array<f32, D>;
var<workgroup> gremoved_t: array<f32, D>;

fn number(at: u32) -> f32 {
  return bitcast<f32>(packed[at]);
}

/// One row of the state after a token, from that before it; both may be the same memory. `at` is the token's row.
fn advance(before: u32, after: u32, at: u32, lane: u32) {
  var removed = 0.0;
  for (var j = 0u; j < D; j++) {
    removed += states[before + j] * number(params.a + at + j);
  }
  let value = number(params.v + at + lane);
  for (var j = 0u; j < D; j++) {
    let kept = states[before + j] * exp_safe(number(params.lw + at + j));
    states[after + j] = kept + removed * number(params.b + at + j) + value * number(params.k + at + j);
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
      advance(work + line, work + line, (t * params.heads + head) * D, lane);
    }
  }

  let stream = params.tokens * params.heads * D;
  let g = 6u * stream + index * area; // gradient of S after token t
  for (var j = 0u; j < D; j++) {
    grads[g + line + j] = number(params.gs + index * area + line + j);
  }
  for (var c = chunks; c > 0u; c--) {
    let kept = ((first_kept + c - 1u) * params.heads + head) * area;
    for (var j = 0u; j < D; j++) {
      states[work + line + j] = states[kept + line + j];
    }
    let begin = range.x + (c - 1u) * CHUNK;
    let end = min(begin + CHUNK, range.y);
    for (var t = begin; t < end; t++) {
      let before = work + (t - begin) * area + line;
      advance(before, before + area, (t * params.heads + head) * D, lane);
    }
    for (var t = end; t > begin; t--) {
      let before = work + (t - 1u - begin) * area;
      let at = ((t - 1u) * params.heads + head) * D;

      let gy = number(params.gy + at + lane);
      var gv = 0.0;
      var gremoved = 0.0;
      var removed = 0.0;
      for (var j = 0u; j < D; j++) {
        let own = grads[g + line + j] + gy * number(params.r + at + j);
        grads[g + line + j] = own;
        gv += own * number(params.k + at + j);
        gremoved += own * number(params.b + at + j);
        removed += states[before + line + j] * number(params.a + at + j);
      }
      grads[3u * stream + at + lane] = gv;
      removed_t[lane] = removed;
      gremoved_t[lane] = gremoved;
      workgroupBarrier();
      storageBarrier();

      var gr = 0.0;
      var glw = 0.0;
      var gk = 0.0;
      var ga = 0.0;
      var gb = 0.0;
      for (var i = 0u; i < D; i++) {
        let own = grads[g + i * D + lane];
        let s = states[before + i * D + lane];
        gr += number(params.gy + at + i) * states[before + area + i * D + lane];
        glw += own * s;
        gk += own * number(params.v + at + i);
        ga += gremoved_t[i] * s;
        gb += own * removed_t[i];
      }
      grads[at + lane] = gr;
      grads[stream + at + lane] = glw * exp_safe(number(params.lw + at + lane));
      grads[2u * stream + at + lane] = gk;
      grads[4u * stream + at + lane] = ga;
      grads[5u * stream + at + lane] = gb;
      workgroupBarrier();
      storageBarrier();

      for (var j = 0u; j < D; j++) {
        let decayed = grads[g + line + j] * exp_safe(number(params.lw + at + j));
        grads[g + line + j] = decayed + gremoved * number(params.a + at + j);
      }
    }
  }
}
