// Made from the .wgsl files by embed.ts.

export type ShaderName =
  | '_finish'
  | '_memory4'
  | '_memory6'
  | '_memory7'
  | '_mix'
  | '_mixes6'
  | '_pack'
  | '_project'
  | '_projectTiles'
  | '_sampleKept'
  | '_sampleNarrow'
  | '_samplePeaks'
  | '_sampling'
  | '_sumSequences'
  | '_turn'
  | '_weights'
  | 'argmax'
  | 'binary'
  | 'cast'
  | 'compare'
  | 'copy'
  | 'crossEntropy'
  | 'crossEntropyGrad'
  | 'full'
  | 'gather'
  | 'groupNorm'
  | 'l2Norm'
  | 'linear'
  | 'linearBy4'
  | 'matmul'
  | 'reduce'
  | 'sample'
  | 'scatterAdd'
  | 'select'
  | 'softmax'
  | 'stateRead'
  | 'stateWrite'
  | 'tokenShift'
  | 'tokenShiftGrad'
  | 'unary'
  | 'wkv4'
  | 'wkv4Grad'
  | 'wkv6'
  | 'wkv6Grad'
  | 'wkv7'
  | 'wkv7Grad'
  | 'prelude'
  | 'roofline'
  | 'subgroups'
  | 'sumsByMemory'
  | 'sumsBySubgroups';

export const WGSL: Readonly<Record<ShaderName, string>> = {
  _finish: `// Put before shaders that multiply rows with weights: the jobs of a dispatch, and what is done with a sum.

/// Rows of x times the rows of one weight, or of a part of it.
struct Job {
  at: u32, // chunk where the weight begins
  rows: u32,
  columns: u32,
  finish: u32, // function in the low byte; ADD, GATE, BIAS
  x_at: u32, // element where its rows of x begin; they lie one after the other
  y_at: u32, // element for the first row of the weight and the first token
  y_stride: u32,
  bias_at: u32, // element of vectors for the first row of the weight
}

struct Params { tokens: u32, jobs: u32, gate_at: u32, residual_at: u32, job: array<Job, 7> }

const BIAS = 0x100u;
const ADD = 0x200u; // to the residual
const GATE = 0x400u; // times what lies in x at gate_at

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> x: array<vec4f>; // rows of every job
@group(0) @binding(4) var<storage, read> vectors: array<f32>; // biases
@group(0) @binding(5) var<storage, read> residual: array<f32>; // as y, from residual_at on
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // rows of every job

/// −e^{−1/2}: the smallest log decay of RWKV-7.
const LOWEST_DECAY = -0.6065306597126334;

fn apply(function: u32, v: f32) -> f32 {
  switch function {
    case 1u: { return tanh_safe(v); }
    case 2u: { return sigmoid(v); }
    case 3u: {
      let positive = max(v, 0.0);
      return positive * positive;
    }
    case 4u: { return v * sigmoid(v); }
    case 5u: { return LOWEST_DECAY * sigmoid(v); }
    case 6u: { return -exp_safe(v); }
    default: { return v; }
  }
}

/// Writes what becomes of the sum for one row of the weight and one token.
fn finish(job: Job, row: u32, token: u32, sum: f32) {
  var v = sum;
  if (job.finish & BIAS) != 0u {
    v += vectors[job.bias_at + row];
  }
  v = apply(job.finish & 0xffu, v);
  let at = job.y_at + token * job.y_stride + row;
  if (job.finish & GATE) != 0u {
    let gate = params.gate_at + at;
    v *= x[gate / 4u][gate % 4u];
  }
  if (job.finish & ADD) != 0u {
    v += residual[params.residual_at + at];
  }
  y[at] = v;
}
`,
  _memory4: `// From projections to what the output projection of RWKV-4's time mix takes: the average, its sums scaled by e^{−pp}, and
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
`,
  _memory6: `// From projections to what the output projection of RWKV-5's and 6's time mix takes: memory, norm, gate. One workgroup a
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
`,
  _memory7: `// From projections to what the output projection of RWKV-7's time mix takes: keys and values, memory, norm, bonus, gate.
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
`,
  _mix: `// The layer norm of the residual stream, and mixtures of each token with the one before it. One workgroup a token; that of
// the first token of a sequence takes the state, and leaves there what the last one comes to.

override STREAMS: u32; // 1 to 6
override PRESENT: bool; // whose a share of 1 is: the present token's, or the one's before it
override POOLED: bool;

struct Params {
  tokens: u32,
  width: u32,
  sequences: u32,
  rows: u32,
  eps: f32,
  norm_w: u32, // elements of vectors where the norm's weight and bias begin
  norm_b: u32,
  pad: u32,
  shares: array<vec4u, 2>, // elements of vectors where the shares of a stream begin; or NOTHING, ALL
}

const NOTHING = 0xffffffffu; // a share of 0 for every channel
const ALL = 0xfffffffeu; // a share of 1

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [tokens, width]
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read> starts: array<i32>; // [sequences + 1]
@group(0) @binding(4) var<storage, read> slots: array<i32>; // [sequences] when POOLED
@group(0) @binding(5) var<storage, read_write> state: array<f32>; // [rows, width]
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // [STREAMS, tokens, width]

/// The sequence of a token: the last that begins at it or before.
fn sequence_of(token: u32) -> u32 {
  var low = 0u;
  var high = params.sequences;
  while low + 1u < high {
    let middle = (low + high) / 2u;
    if starts[middle] <= i32(token) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = group_index(group, groups);
  if token >= params.tokens {
    return;
  }
  let width = params.width;
  let sequence = sequence_of(token);
  let range = clamp_range(starts[sequence], starts[sequence + 1u], params.tokens);
  let is_first = token == range.x;
  let other = select(max(token, 1u) - 1u, max(range.y, 1u) - 1u, is_first);
  var row = sequence;
  if POOLED {
    row = u32(slots[sequence]);
  }
  let here = token * width;
  let there = other * width;

  var sums = vec2f();
  for (var c = lane; c < width; c += WG) {
    sums += vec2f(x[here + c], x[there + c]);
  }
  let mean = group_sum2(lane, sums) / f32(width);
  var squares = vec2f();
  for (var c = lane; c < width; c += WG) {
    let d = vec2f(x[here + c], x[there + c]) - mean;
    squares += d * d;
  }
  let scale = 1.0 / sqrt(group_sum2(lane, squares) / f32(width) + params.eps);

  for (var c = lane; c < width; c += WG) {
    let normed = (vec2f(x[here + c], x[there + c]) - mean) * scale * vectors[params.norm_w + c] + vectors[params.norm_b + c];
    var before = normed.y;
    if is_first {
      before = 0.0;
      if row < params.rows {
        before = state[row * width + c];
        state[row * width + c] = normed.y;
      }
    }
    let from_here = select(normed.x, before, PRESENT);
    let difference = select(before - normed.x, normed.x - before, PRESENT);
    for (var s = 0u; s < STREAMS; s++) {
      let at = params.shares[s / 4u][s % 4u];
      var share = select(0.0, 1.0, at == ALL);
      if at < ALL {
        share = vectors[at + c];
      }
      y[(s * params.tokens + token) * width + c] = from_here + difference * share;
    }
  }
}
`,
  _mixes6: `// The five streams of RWKV-6's time mix, whose shares depend on the data; one invocation an element of y.

struct Params {
  count: u32, // 5 · tokens · width
  tokens: u32,
  width: u32,
  rank: u32,
  low: u32, // element of projected where tanh(… @ maa_w1) begins
  pad_a: u32,
  pad_b: u32,
  pad_c: u32,
  shares: array<vec4u, 2>, // elements of vectors: maa_w, maa_k, maa_v, maa_r, maa_g
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> streams: array<f32>; // [3, tokens, width]: the second is each token, the third that before it
@group(0) @binding(2) var<storage, read> projected: array<f32>; // [tokens, 5, rank]
@group(0) @binding(3) var<storage, read> up: array<f32>; // maa_w2 [5, rank, width]
@group(0) @binding(4) var<storage, read> vectors: array<f32>; // [width] each
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [5, tokens, width]

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
  let channel = i % params.width;
  let token = (i / params.width) % params.tokens;
  let stream = i / (params.width * params.tokens);
  var share = vectors[params.shares[stream / 4u][stream % 4u] + channel];
  let low = params.low + (token * 5u + stream) * params.rank;
  let high = stream * params.rank * params.width + channel;
  for (var q = 0u; q < params.rank; q++) {
    share += projected[low + q] * up[high + q * params.width];
  }
  let area = params.tokens * params.width;
  let at = token * params.width + channel;
  let now = streams[area + at];
  y[i] = now + (streams[2u * area + at] - now) * share;
}
`,
  _pack: `// Up to four operands one after the other in one buffer.

struct Params { base: u32, pad_a: u32, pad_b: u32, pad_c: u32, ends: vec4u } // where the parts begin, and where each ends

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>; // [ends.x]
@group(0) @binding(2) var<storage, read> b: array<u32>; // [ends.y − ends.x]
@group(0) @binding(3) var<storage, read> c: array<u32>; // [ends.z − ends.y]
@group(0) @binding(4) var<storage, read> d: array<u32>; // [ends.w − ends.z]
@group(0) @binding(5) var<storage, read_write> y: array<u32>; // [base + ends.w]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  let at = params.base + i;
  if i < params.ends.x {
    y[at] = a[i];
  } else if i < params.ends.y {
    y[at] = b[i - params.ends.x];
  } else if i < params.ends.z {
    y[at] = c[i - params.ends.y];
  } else if i < params.ends.w {
    y[at] = d[i - params.ends.z];
  }
}
`,
  _project: `// y = fn(x @ wᵀ + bias) for up to seven weights of one format, for few rows of x. LANES invocations share ROWS rows of a
// weight; workgroups go through the jobs, of each through the rows of the weight, of each through the tokens.

override ROWS: u32; // 1 to 4

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  let token = index % params.tokens;
  let together = (WG / LANES) * ROWS; // rows of a workgroup
  var rest = index / params.tokens;
  var number = 0u;
  for (; number + 1u < params.jobs; number++) {
    let own = (params.job[number].rows + together - 1u) / together;
    if rest < own {
      break;
    }
    rest -= own;
  }
  let job = params.job[number];
  let first = rest * together + (lane / LANES) * ROWS;
  let last = job.rows - 1u;
  let length = chunks_of(job.columns);
  let quartets = job.columns / 4u;
  let x_row = job.x_at / 4u + token * quartets;

  var sums = vec4f();
  for (var c = lane % LANES; c < length; c += LANES) {
    // The last chunk of a row may reach over its end: there the weights are 0.
    var rows: array<vec4f, 8>;
    for (var j = 0u; j < PER_CHUNK / 4u; j++) {
      rows[j] = x[x_row + min(c * (PER_CHUNK / 4u) + j, quartets - 1u)];
    }
    for (var r = 0u; r < ROWS; r++) {
      let row = min(first + r, last);
      let chunk = chunks[job.at + row * length + c];
      var sum = 0.0;
      for (var j = 0u; j < PER_CHUNK / 4u; j++) {
        sum += dot(quartet(chunk, j), rows[j]);
      }
      sums[r] += sum * scale_of(job.at, job.rows, job.columns, (row * length + c) * PER_CHUNK / 32u);
    }
  }
  sums = lanes_sum(lane, sums);
  if lane % LANES != 0u {
    return;
  }
  for (var r = 0u; r < ROWS; r++) {
    if first + r < job.rows {
      finish(job, first + r, token, sums[r]);
    }
  }
}
`,
  _projectTiles: `// As _project.wgsl for many rows of x: a workgroup makes TILE rows of a weight times TILE tokens, STEP columns at a time
// from shared memory; an invocation makes 4 times 4 of them.

override TILE: u32; // 32 or 64
override STEP: u32 = TILE / 2u;
override ACROSS: u32 = TILE / 4u;

var<workgroup> x_tile: array<vec4f, TILE * TILE / 8u>; // [STEP, tokens / 4]
var<workgroup> w_tile: array<vec4f, TILE * TILE / 8u>; // [STEP, rows / 4]

/// Columns \`column\` to \`column + 3\` of row \`row\` of a weight; 0 beyond its end.
fn four_weights(job: Job, row: u32, column: u32) -> vec4f {
  if column >= job.columns {
    return vec4f();
  }
  let own = min(row, job.rows - 1u);
  let chunk = chunks[job.at + own * chunks_of(job.columns) + column / PER_CHUNK];
  let scale = scale_of(job.at, job.rows, job.columns, (own * job.columns + column) / 32u);
  return quartet(chunk, (column % PER_CHUNK) / 4u) * scale;
}

fn four_inputs(job: Job, token: u32, column: u32) -> vec4f {
  if column >= job.columns {
    return vec4f();
  }
  return x[(job.x_at + min(token, params.tokens - 1u) * job.columns + column) / 4u];
}

@compute @workgroup_size(TILE * TILE / 16u)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  let token_tiles = (params.tokens + TILE - 1u) / TILE;
  var rest = index / token_tiles;
  var number = 0u;
  for (; number + 1u < params.jobs; number++) {
    let own = (params.job[number].rows + TILE - 1u) / TILE;
    if rest < own {
      break;
    }
    rest -= own;
  }
  let job = params.job[number];
  let first_row = rest * TILE;
  let first_token = (index % token_tiles) * TILE;

  // Half of the invocations bring x, the others the weight; each four columns of four rows, turned.
  let half = TILE * TILE / 32u;
  let brought = lane % half;
  let from_row = (brought / (STEP / 4u)) * 4u;
  let from_column = (brought % (STEP / 4u)) * 4u;
  let to = from_column * ACROSS + from_row / 4u;
  let across = lane % ACROSS; // four rows of the weight
  let down = lane / ACROSS; // four tokens
  var first = vec4f();
  var second = vec4f();
  var third = vec4f();
  var fourth = vec4f();
  for (var begin = 0u; begin < job.columns; begin += STEP) {
    let column = begin + from_column;
    workgroupBarrier();
    if lane < half {
      let row = first_token + from_row;
      let turned = transpose(mat4x4f(
        four_inputs(job, row, column),
        four_inputs(job, row + 1u, column),
        four_inputs(job, row + 2u, column),
        four_inputs(job, row + 3u, column),
      ));
      x_tile[to] = turned[0];
      x_tile[to + ACROSS] = turned[1];
      x_tile[to + 2u * ACROSS] = turned[2];
      x_tile[to + 3u * ACROSS] = turned[3];
    } else {
      let row = first_row + from_row;
      let turned = transpose(mat4x4f(
        four_weights(job, row, column),
        four_weights(job, row + 1u, column),
        four_weights(job, row + 2u, column),
        four_weights(job, row + 3u, column),
      ));
      w_tile[to] = turned[0];
      w_tile[to + ACROSS] = turned[1];
      w_tile[to + 2u * ACROSS] = turned[2];
      w_tile[to + 3u * ACROSS] = turned[3];
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let tokens = x_tile[k * ACROSS + down];
      let weights = w_tile[k * ACROSS + across];
      first += tokens.x * weights;
      second += tokens.y * weights;
      third += tokens.z * weights;
      fourth += tokens.w * weights;
    }
  }
  for (var i = 0u; i < 16u; i++) {
    let token = first_token + down * 4u + i / 4u;
    let row = first_row + across * 4u + i % 4u;
    let sums = select(select(first, second, i >= 4u), select(third, fourth, i >= 12u), i >= 8u);
    if token < params.tokens && row < job.rows {
      finish(job, row, token, sums[i % 4u]);
    }
  }
}
`,
  _sampleKept: `// The threshold of a row; of each part the weight of what is kept, at the row's temperature

@group(0) @binding(5) var<storage, read> p: array<f32>; // [rows, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let own = part_of(group, groups);
  if own.number == params.parts {
    return;
  }
  let base = own.row * params.width;
  let top = peak_of(lane, own).top;
  let is_top = lane < params.parts && bitcast<f32>(work[peak_at(own, min(lane, params.parts - 1u))]) == top;
  let best = work[peak_at(own, min(group_first(lane, lane, is_top), params.parts - 1u)) + 2u];
  let largest = p[base + best];
  let thresholds = settled(lane, own, 3u, 7u);
  var least = bitcast<u32>(setting(own, 3u) * largest);
  if is_counted(own) {
    least = max(least, thresholds.by_count);
  }
  if is_weighed(own) {
    least = max(least, thresholds.by_weight);
  }
  least = min(least, bitcast<u32>(largest));

  let inverse = 1.0 / max(setting(own, 0u), 1.0e-6);
  var sum = 0.0;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    if bitcast<u32>(p[base + v]) >= least {
      sum += exp_safe((penalised(own, v) - top) * inverse);
    }
  }
  let weight = group_sum(lane, sum);
  if lane == 0u {
    work[kept_at(own, own.number)] = bitcast<u32>(weight);
    if own.number == 0u {
      work[own.work] = bitcast<u32>(top);
      work[own.work + 1u] = best;
      work[own.work + 2u] = least;
    }
  }
}
`,
  _sampleNarrow: `// A histogram of the probabilities of a part by the next bits of the thresholds: how many there are in each bucket, and
// what they weigh. Within a bucket they have one exponent, so weights are whole numbers, added up exactly in any order.

@group(0) @binding(5) var<storage, read_write> p: array<f32>; // [rows, width], written by the first level

var<workgroup> number: array<atomic<u32>, BUCKETS>;
var<workgroup> high: array<atomic<u32>, BUCKETS>; // half of 24 bits
var<workgroup> low: array<atomic<u32>, BUCKETS>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let own = part_of(group, groups);
  if own.number == params.parts {
    return;
  }
  let base = own.row * params.width;
  var so_far = unsettled(own);
  if params.level == 0u {
    let peak = peak_of(lane, own);
    for (var v = own.begin + lane; v < own.end; v += WG) {
      p[base + v] = exp_safe(penalised(own, v) - peak.top) / peak.total;
    }
  } else {
    so_far = settled(lane, own, params.level - 1u, 8u);
    if lane == 0u && own.number == 0u {
      let to = own.work + 4u * params.level;
      work[to] = so_far.by_count;
      work[to + 1u] = bitcast<u32>(so_far.count);
      work[to + 2u] = so_far.by_weight;
      work[to + 3u] = bitcast<u32>(so_far.weight);
    }
  }
  if !is_counted(own) && !is_weighed(own) {
    return;
  }
  let above = params.below + params.bits;
  let mask = (1u << params.bits) - 1u;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    let word = bitcast<u32>(p[base + v]);
    let bucket = BUCKETS - 1u - ((word >> params.below) & mask);
    if is_counted(own) && (word >> above) == so_far.by_count {
      atomicAdd(&number[bucket], 1u);
    }
    if is_weighed(own) && (word >> above) == so_far.by_weight {
      let mantissa = (word & 0x7fffffu) | 0x800000u;
      atomicAdd(&high[bucket], mantissa >> 12u);
      atomicAdd(&low[bucket], mantissa & 0xfffu);
    }
  }
  workgroupBarrier();
  let to = histogram_at(own, own.number, params.level) + lane;
  work[to] = atomicLoad(&number[lane]);
  work[to + BUCKETS] = atomicLoad(&high[lane]);
  work[to + 2u * BUCKETS] = atomicLoad(&low[lane]);
}
`,
  _samplePeaks: `// The largest logit of each part after the penalties, Σ exp(logit − largest), and the first column of the largest

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let own = part_of(group, groups);
  if own.number == params.parts {
    return;
  }
  var best = LOWEST;
  var at = own.end;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    let logit = penalised(own, v);
    if at == own.end || logit > best {
      best = logit;
      at = v;
    }
  }
  let top = group_max(lane, best);
  let first = group_first(lane, at - own.begin, at < own.end && best == top);
  var sum = 0.0;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    sum += exp_safe(penalised(own, v) - top);
  }
  let total = group_sum(lane, sum);
  if lane == 0u {
    let to = peak_at(own, own.number);
    work[to] = bitcast<u32>(top);
    work[to + 1u] = bitcast<u32>(total);
    work[to + 2u] = min(own.begin + first, own.end - 1u);
  }
}
`,
  _sampling: `// Put before the shaders of \`sample\`, whose workgroups have a part of a row each, and 256 invocations. What they tell
// each other lies in \`work\`. Bits of probabilities, which are numbers ≥ 0, are in the order of the numbers.

struct Params {
  rows: u32,
  width: u32,
  parts: u32, // of a row
  length: u32, // columns of a part, the last may have fewer
  words: u32, // of the work of a row
  level: u32, // of _sampleNarrow, with the bits that it settles, and how many lie below them
  bits: u32,
  below: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> parameters: array<f32>; // [rows, 8]
@group(0) @binding(3) var<storage, read> counts: array<f32>; // [rows, width]
// [rows] of: what _sampleKept finds [4], thresholds after each level but the last [3, 4]; of each part its peak [3] and
// what it keeps; of each part histograms of two levels, [2, 3, 256]
@group(0) @binding(4) var<storage, read_write> work: array<u32>;

/// Buckets of a histogram. The first is that of the largest probabilities.
const BUCKETS = 256u;

struct Part { row: u32, number: u32, begin: u32, end: u32, work: u32 }

/// The part of a workgroup, and where the work of its row begins. Beyond the last row there is none: \`number\` is \`parts\`.
fn part_of(group: vec3u, groups: vec3u) -> Part {
  let index = group_index(group, groups);
  let row = index / params.parts;
  if row >= params.rows {
    return Part(0u, params.parts, 0u, 0u, 0u);
  }
  let number = index % params.parts;
  let begin = number * params.length;
  return Part(row, number, begin, min(begin + params.length, params.width), row * params.words);
}

fn peak_at(own: Part, number: u32) -> u32 {
  return own.work + 16u + number * 4u;
}

fn kept_at(own: Part, number: u32) -> u32 {
  return peak_at(own, number) + 3u;
}

fn histogram_at(own: Part, number: u32, level: u32) -> u32 {
  return own.work + 16u + params.parts * 4u + (number * 2u + level % 2u) * 3u * BUCKETS;
}

fn setting(own: Part, column: u32) -> f32 {
  return parameters[own.row * 8u + column];
}

fn is_counted(own: Part) -> bool {
  return setting(own, 1u) >= 1.0;
}

fn is_weighed(own: Part) -> bool {
  return setting(own, 2u) < 1.0;
}

/// Logit of column v after the penalties.
fn penalised(own: Part, v: u32) -> f32 {
  let logit = logits[own.row * params.width + v];
  let count = counts[own.row * params.width + v];
  if count <= 0.0 {
    return logit;
  }
  let repetition = setting(own, 6u);
  let repeated = select(logit * repetition, logit / repetition, logit > 0.0);
  return repeated - (setting(own, 4u) + setting(own, 5u) * count);
}

/// The largest logit of the row, and Σ exp(logit − largest).
struct Peak { top: f32, total: f32 }

fn peak_of(lane: u32, own: Part) -> Peak {
  let at = peak_at(own, min(lane, params.parts - 1u));
  let is_part = lane < params.parts;
  let top = bitcast<f32>(work[at]);
  let largest = group_max(lane, select(LOWEST, top, is_part));
  let share = bitcast<f32>(work[at + 1u]) * exp_safe(top - largest);
  return Peak(largest, group_sum(lane, select(0.0, share, is_part)));
}

var<workgroup> summands: array<f32, WG>;
var<workgroup> runs: array<f32, WG / 16u>;

/// Sum over the lanes before this one. All lanes must come here together.
fn sum_before(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  summands[lane] = value;
  workgroupBarrier();
  if lane < WG / 16u {
    var run = 0.0;
    for (var i = 0u; i < 16u; i++) {
      run += summands[lane * 16u + i];
    }
    runs[lane] = run;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lane / 16u; i++) {
    sum += runs[i];
  }
  for (var i = lane - lane % 16u; i < lane; i++) {
    sum += summands[i];
  }
  return sum;
}

/// The highest bits of the thresholds, and how much the probabilities from there on must hold yet.
struct Thresholds { by_count: u32, count: f32, by_weight: u32, weight: f32 }

/// The thresholds before the first level: nothing is settled.
fn unsettled(own: Part) -> Thresholds {
  return Thresholds(0u, floor(setting(own, 1u)), 0u, setting(own, 2u));
}

/// The bucket at which a running sum over all of them reaches \`least\`, the last where it never does, and the sum before it.
struct Reached { bucket: u32, before: f32 }

fn reached(lane: u32, value: f32, least: f32) -> Reached {
  let before = sum_before(lane, value);
  let bucket = min(group_first(lane, lane, before + value >= least), BUCKETS - 1u);
  return Reached(bucket, group_sum(lane, select(0.0, before, lane == bucket)));
}

/// The thresholds after a level of so many bits, from the histograms that it has left.
fn settled(lane: u32, own: Part, level: u32, bits: u32) -> Thresholds {
  var so_far = unsettled(own);
  if level > 0u {
    let at = own.work + 4u * level;
    so_far = Thresholds(work[at], bitcast<f32>(work[at + 1u]), work[at + 2u], bitcast<f32>(work[at + 3u]));
  }
  let first = histogram_at(own, 0u, level) + lane;
  let step = histogram_at(own, 1u, level) + lane - first;
  if is_counted(own) {
    var count = 0.0;
    for (var i = 0u; i < params.parts; i++) {
      count += f32(work[first + i * step]);
    }
    let by_count = reached(lane, count, so_far.count);
    so_far.by_count = (so_far.by_count << bits) | (BUCKETS - 1u - by_count.bucket);
    so_far.count -= by_count.before;
  }
  if is_weighed(own) {
    let exponent = select(so_far.by_weight >> (8u * max(level, 1u) - 8u), BUCKETS - 1u - lane, level == 0u);
    var weight = 0.0;
    for (var i = 0u; i < params.parts; i++) {
      let at = first + i * step + BUCKETS;
      weight += f32(work[at]) * 4096.0 + f32(work[at + BUCKETS]);
    }
    // No probability has a larger exponent than 1 has.
    weight *= bitcast<f32>(min(exponent, 127u) << 23u) / 8388608.0;
    let by_weight = reached(lane, weight, so_far.weight);
    so_far.by_weight = (so_far.by_weight << bits) | (BUCKETS - 1u - by_weight.bucket);
    so_far.weight -= by_weight.before;
  }
  return so_far;
}
`,
  _sumSequences: `// y = Σ over sequences of parts of scratch memory; one invocation an element of y

struct Params { width: u32, sequences: u32, x_at: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [sequences, width] from x_at on
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i >= params.width {
    return;
  }
  var sum = 0.0;
  for (var s = 0u; s < params.sequences; s++) {
    sum += x[params.x_at + s * params.width + i];
  }
  y[i] = sum;
}
`,
  _turn: `// The transpose of a weight in any format, or of a part of it, as f32; one invocation an element

struct Params { count: u32, at: u32, rows: u32, columns: u32, first: u32, all: u32 } // rows of the part; all rows

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [columns, all]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let row = i % params.rows;
    let column = i / params.rows;
    y[column * params.all + params.first + row] = weight_at(params.at, params.rows, params.columns, row, column);
  }
}
`,
  _weights: `// Put before shaders that read weights in any format. Their first two bindings are these.

override FORMAT: u32; // 0: f32, 1: f16, 2: bf16, 3: q8_0, 4: q4_0
override PER_CHUNK: u32 = 4u << (FORMAT - select(0u, 1u, FORMAT > 1u)); // weights in 16 bytes

@group(0) @binding(1) var<storage, read> chunks: array<vec4u>; // rows of 16-byte pieces; those of f32 of any length
@group(0) @binding(2) var<storage, read> words: array<u32>; // the same memory; of blocks, the scales lie behind the numbers

/// Four bytes as signed numbers.
fn signed_bytes(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

/// Weights 4 j to 4 j + 3 of a chunk; those of blocks without their scale.
fn quartet(chunk: vec4u, j: u32) -> vec4f {
  switch FORMAT {
    case 0u: {
      return bitcast<vec4f>(chunk);
    }
    case 1u: {
      let pair = select(chunk.xy, chunk.zw, j == 1u);
      return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y));
    }
    case 2u: {
      let pair = select(chunk.xy, chunk.zw, j == 1u);
      return bitcast<vec4f>(vec4u(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
    }
    case 3u: {
      return signed_bytes(chunk[j]);
    }
    default: {
      // Low halves of the 16 bytes, then the high ones.
      let halves = (chunk[j & 3u] >> select(0u, 4u, j > 3u)) & 0x0f0f0f0fu;
      return vec4f((vec4u(halves) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)) - 8.0;
    }
  }
}

/// Chunks in a row of \`columns\` weights.
fn chunks_of(columns: u32) -> u32 {
  return (columns + PER_CHUNK - 1u) / PER_CHUNK;
}

/// The scale of a block, counted over all rows; \`at\` is the chunk where the weight begins.
fn scale_of(at: u32, rows: u32, columns: u32, block: u32) -> f32 {
  if FORMAT < 3u {
    return 1.0;
  }
  let word = (at + rows * (columns / PER_CHUNK)) * 4u + (block >> 1u);
  let pair = unpack2x16float(words[word]);
  return select(pair.x, pair.y, (block & 1u) == 1u);
}

/// One weight. \`rows\` are those of the part at \`at\`.
fn weight_at(at: u32, rows: u32, columns: u32, row: u32, column: u32) -> f32 {
  if FORMAT == 0u {
    return bitcast<f32>(words[at * 4u + row * columns + column]);
  }
  let index = at + row * chunks_of(columns) + column / PER_CHUNK;
  let inside = column % PER_CHUNK;
  let four = quartet(chunks[index], inside / 4u);
  return four[inside % 4u] * scale_of(at, rows, columns, (row * columns + column) / 32u);
}
`,
  argmax: `// y[r] = the least v with x[r, v] = max x[r]; one workgroup a part of a row. Rows in parts are gone through again: of
// the columns that the first pass listed.

override LISTED: bool;

struct Params {
  count: u32, // rows · parts
  width: u32,
  parts: u32, // of a row
  length: u32, // columns of a part, the last may have fewer; or those listed
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> listed: array<u32>; // [rows, length] when LISTED, rising
@group(0) @binding(3) var<storage, read_write> y: array<i32>; // [rows, parts]

fn column(row: u32, part: u32, i: u32) -> u32 {
  if LISTED {
    return listed[row * params.length + i];
  }
  return part * params.length + i;
}

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
  let row = index / params.parts;
  let part = index % params.parts;
  let length = min(params.length, params.width - part * params.length);
  let base = row * params.width;
  var best = LOWEST;
  var at = length;
  for (var i = lane; i < length; i += WG) {
    let value = x[base + column(row, part, i)];
    if at == length || value > best {
      best = value;
      at = i;
    }
  }
  let top = group_max(lane, best);
  let first = group_first(lane, at, at < length && best == top);
  if lane == 0u {
    y[index] = i32(column(row, part, min(first, length - 1u)));
  }
}
`,
  binary: `// y = fn(a, b), operands broadcast

override FN: u32;

struct Params { count: u32, axes: u32, pad: vec2u, shape: Axes, a: Axes, b: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // broadcasts to the shape of y
@group(0) @binding(2) var<storage, read> b: array<f32>; // broadcasts to the shape of y
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count]

fn apply(p: f32, q: f32) -> f32 {
  switch FN {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return min(p, q); }
    default: { return max(p, q); }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let p = a[place(i, params.axes, params.shape, params.a)];
    let q = b[place(i, params.axes, params.shape, params.b)];
    y[i] = apply(p, q);
  }
}
`,
  cast: `// y = x as the other type; towards i32 the fraction is dropped

override FROM_INTEGER: bool;
override TO_INTEGER: bool;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [count] bits of f32 or i32
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [count] bits of f32 or i32

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
  if FROM_INTEGER == TO_INTEGER {
    y[i] = x[i];
  } else if TO_INTEGER {
    y[i] = bitcast<u32>(i32(bitcast<f32>(x[i])));
  } else {
    y[i] = bitcast<u32>(f32(bitcast<i32>(x[i])));
  }
}
`,
  compare: `// y = 1 where a fn b, else 0; operands broadcast

override FN: u32;
override INTEGER: bool;

struct Params { count: u32, axes: u32, pad: vec2u, shape: Axes, a: Axes, b: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>; // bits of f32 or i32; broadcasts to the shape of y
@group(0) @binding(2) var<storage, read> b: array<u32>; // as a
@group(0) @binding(3) var<storage, read_write> y: array<i32>; // [count]

fn holds(equal: bool, less: bool, greater: bool) -> bool {
  switch FN {
    case 0u: { return equal; }
    case 1u: { return less; }
    case 2u: { return less || equal; }
    case 3u: { return greater; }
    default: { return greater || equal; }
  }
}

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
  let p = a[place(i, params.axes, params.shape, params.a)];
  let q = b[place(i, params.axes, params.shape, params.b)];
  var result: bool;
  if INTEGER {
    let m = bitcast<i32>(p);
    let n = bitcast<i32>(q);
    result = holds(m == n, (m < n), (m > n));
  } else {
    let m = bitcast<f32>(p);
    let n = bitcast<f32>(q);
    result = holds(m == n, (m < n), (m > n));
  }
  y[i] = select(0, 1, result);
}
`,
  copy: `// Elements of x to other places in y: transpose, slice, concat, broadcast, and where a state begins.

struct Params { count: u32, axes: u32, x_base: u32, y_base: u32, shape: Axes, x: Axes, y: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // any four-byte type, read at x_base + its strides
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // written at y_base + its strides

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let from_place = params.x_base + place(i, params.axes, params.shape, params.x);
    let to_place = params.y_base + place(i, params.axes, params.shape, params.y);
    y[to_place] = x[from_place];
  }
}
`,
  crossEntropy: `// y[n] = log Σ exp(logits[n]) − logits[n, targets[n]], 0 without a target; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> targets: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [rows]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_index(group, groups);
  if row >= params.rows {
    return;
  }
  let base = row * params.width;
  var best = LOWEST;
  for (var v = lane; v < params.width; v += WG) {
    best = max(best, logits[base + v]);
  }
  best = group_max(lane, best);
  var sum = 0.0;
  for (var v = lane; v < params.width; v += WG) {
    sum += exp_safe(logits[base + v] - best);
  }
  sum = group_sum(lane, sum);
  if lane == 0u {
    let goal = targets[row];
    let inside = goal >= 0 && goal < i32(params.width);
    y[row] = select(0.0, log(sum) + (best - logits[base + u32(max(goal, 0))]), inside);
  }
}
`,
  crossEntropyGrad: `// glogits[n] = gy[n] · (softmax(logits[n]) − onehot(targets[n])), 0 without a target; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> targets: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read> gy: array<f32>; // [rows]
@group(0) @binding(4) var<storage, read_write> glogits: array<f32>; // [rows, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_index(group, groups);
  if row >= params.rows {
    return;
  }
  let base = row * params.width;
  var best = LOWEST;
  for (var v = lane; v < params.width; v += WG) {
    best = max(best, logits[base + v]);
  }
  best = group_max(lane, best);
  var sum = 0.0;
  for (var v = lane; v < params.width; v += WG) {
    sum += exp_safe(logits[base + v] - best);
  }
  sum = group_sum(lane, sum);
  let goal = targets[row];
  let scale = select(0.0, gy[row], goal >= 0);
  for (var v = lane; v < params.width; v += WG) {
    let p = exp_safe(logits[base + v] - best) / sum;
    glogits[base + v] = scale * (p - select(0.0, 1.0, i32(v) == goal));
  }
}
`,
  full: `// y = value

struct Params { count: u32, value: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [count]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    y[i] = params.value;
  }
}
`,
  gather: `// y[n] = table[ids[n]], of a table of any format or a part of it

struct Params {
  count: u32,
  width: u32,
  all: u32, // rows of the table
  at: u32, // chunk where the part begins
  first: u32, // its first row in the table
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> ids: array<i32>; // [count / width], kept inside the table
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [count / width, width]

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
  let row = u32(clamp(ids[i / params.width], 0, i32(params.all) - 1)) - params.first;
  if row < params.rows {
    y[i] = weight_at(params.at, params.rows, params.width, row, i % params.width);
  }
}
`,
  groupNorm: `// y = (x − mean) / sqrt(var + eps) · w + b over each group of channels; one workgroup a group. layerNorm has one group.

struct Params { count: u32, groups: u32, size: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [N, groups · size], count = N · groups
@group(0) @binding(2) var<storage, read> w: array<f32>; // [groups · size]
@group(0) @binding(3) var<storage, read> b: array<f32>; // [groups · size]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [N, groups · size]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = group_index(group, groups);
  let base = i * params.size;
  let inside = i < params.count;
  let channel = (i % params.groups) * params.size;
  let size = f32(params.size);
  var sum = 0.0;
  for (var j = lane; inside && j < params.size; j += WG) {
    sum += x[base + j];
  }
  let mean = group_sum(lane, sum) / size;
  var squares = 0.0;
  for (var j = lane; inside && j < params.size; j += WG) {
    let d = x[base + j] - mean;
    squares += d * d;
  }
  let scale = 1.0 / sqrt(group_sum(lane, squares) / size + params.eps);
  for (var j = lane; inside && j < params.size; j += WG) {
    y[base + j] = (x[base + j] - mean) * scale * w[channel + j] + b[channel + j];
  }
}
`,
  l2Norm: `// y = x / max(‖x‖, eps) over each group of channels; one workgroup a group

struct Params { count: u32, groups: u32, size: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [N, groups · size], count = N · groups
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, groups · size]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = group_index(group, groups);
  let base = i * params.size;
  let inside = i < params.count;
  var squares = 0.0;
  for (var j = lane; inside && j < params.size; j += WG) {
    squares += x[base + j] * x[base + j];
  }
  let length = max(sqrt(group_sum(lane, squares)), params.eps);
  for (var j = lane; inside && j < params.size; j += WG) {
    y[base + j] = x[base + j] / length;
  }
}
`,
  linear: `// y = x @ wᵀ, or x @ w when TRANSPOSED, for weights of any format and size; one invocation an element of y

override TRANSPOSED: bool;
override ADDS: bool; // to what the parts of w before this one have made

struct Params {
  count: u32, // elements of y that this part makes
  inner: u32, // columns of x
  outer: u32, // columns of y
  at: u32, // chunk where the part of w begins
  rows: u32, // of the part
  columns: u32, // of w
  first: u32, // the part's first row in w
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> x: array<f32>; // [N, inner]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [N, outer]

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
  var sum = 0.0;
  if TRANSPOSED {
    let column = i % params.outer;
    let row = (i / params.outer) * params.inner + params.first;
    for (var k = 0u; k < params.rows; k++) {
      sum += x[row + k] * weight_at(params.at, params.rows, params.columns, k, column);
    }
    if ADDS {
      sum += y[i];
    }
    y[i] = sum;
  } else {
    let column = i % params.rows;
    let token = i / params.rows;
    for (var k = 0u; k < params.inner; k++) {
      sum += x[token * params.inner + k] * weight_at(params.at, params.rows, params.columns, column, k);
    }
    y[token * params.outer + params.first + column] = sum;
  }
}
`,
  linearBy4: `// y = x @ w for f32, four columns an invocation

struct Params { count: u32, inner: u32, outer: u32, at: u32 } // count of invocations

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4f>; // [inner, outer / 4] from at on
@group(0) @binding(2) var<storage, read> x: array<vec4f>; // [N, inner / 4]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [N, outer]

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
  let steps = params.inner / 4u;
  let columns = params.outer / 4u;
  let column = i % columns;
  let row = (i / columns) * steps;
  var sums = vec4f();
  for (var k = 0u; k < steps; k++) {
    let four = x[row + k];
    let at = params.at + k * params.outer + column;
    sums += four.x * w[at] + four.y * w[at + columns] + four.z * w[at + 2u * columns] + four.w * w[at + 3u * columns];
  }
  y[4u * i] = sums.x;
  y[4u * i + 1u] = sums.y;
  y[4u * i + 2u] = sums.z;
  y[4u * i + 3u] = sums.w;
}
`,
  matmul: `// y = op(a) @ op(b), a batch of products; one invocation an element of y

struct Params {
  count: u32, // batch · m · n
  m: u32,
  n: u32,
  k: u32,
  a_row: u32, // strides of op(a) [m, k] and op(b) [k, n]
  a_step: u32,
  b_step: u32,
  b_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // [batch, m, k] or [batch, k, m]
@group(0) @binding(2) var<storage, read> b: array<f32>; // [batch, k, n] or [batch, n, k]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [batch, m, n]

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
  let column = i % params.n;
  let row = (i / params.n) % params.m;
  let product = i / (params.n * params.m);
  let a_at = product * params.m * params.k + row * params.a_row;
  let b_at = product * params.k * params.n + column * params.b_column;
  var sum = 0.0;
  for (var step = 0u; step < params.k; step++) {
    sum += a[a_at + step * params.a_step] * b[b_at + step * params.b_step];
  }
  y[i] = sum;
}
`,
  reduce: `// y = fn over some axes of x; one workgroup an element of y

override FN: u32;

struct Params {
  count: u32, // elements of y
  kept_axes: u32,
  folded: u32, // elements of x for each of y
  folded_axes: u32,
  kept_shape: Axes,
  kept: Axes, // strides of x along the axes that stay
  folded_shape: Axes,
  along: Axes, // strides of x along the axes that go
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [kept axes and folded axes, mixed]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [count]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = group_index(group, groups);
  let base = place(i, params.kept_axes, params.kept_shape, params.kept);
  var sum = 0.0;
  var best = LOWEST;
  for (var j = lane; j < params.folded; j += WG) {
    let value = x[base + place(j, params.folded_axes, params.folded_shape, params.along)];
    sum += value;
    best = max(best, value);
  }
  var result: f32;
  if FN == 1u {
    result = group_max(lane, best);
  } else {
    result = group_sum(lane, sum);
  }
  if FN == 2u {
    result /= f32(params.folded);
  }
  if lane == 0u && i < params.count {
    y[i] = result;
  }
}
`,
  sample: `// One token of each row by inverse distribution function: every part adds up what the parts keep, and the one that holds
// the drawn column finds it. All of them make their own counts.

@group(0) @binding(5) var<storage, read> u: array<f32>; // [rows]
@group(0) @binding(6) var<storage, read_write> tokens: array<i32>; // [rows]
@group(0) @binding(7) var<storage, read_write> counts_after: array<f32>; // [rows, width]; holds p before

var<workgroup> drawn: u32;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let own = part_of(group, groups);
  if own.number == params.parts {
    return;
  }
  let base = own.row * params.width;
  let top = bitcast<f32>(work[own.work]);
  let best = work[own.work + 1u];
  let least = work[own.work + 2u];
  let temperature = setting(own, 0u);
  let inverse = 1.0 / max(temperature, 1.0e-6);

  var all = 0.0;
  for (var i = 0u; i < params.parts; i++) {
    all += bitcast<f32>(work[kept_at(own, i)]);
  }
  let goal = u[own.row] * all;
  // The part where the sum passes the goal; where rounding keeps it below, the last that weighs something.
  var before = 0.0;
  var holder = 0u;
  for (var i = 0u; i < params.parts; i++) {
    let share = bitcast<f32>(work[kept_at(own, i)]);
    if share > 0.0 {
      holder = i;
    }
    if before + share > goal {
      break;
    }
    before += share;
  }

  // A lane has neighbouring columns, so that the running sum goes from lane to lane.
  let chunk = (own.end - own.begin + WG - 1u) / WG;
  let begin = min(own.begin + lane * chunk, own.end);
  let end = min(begin + chunk, own.end);
  var weight = 0.0;
  for (var v = begin; v < end; v++) {
    if bitcast<u32>(counts_after[base + v]) >= least {
      weight += exp_safe((penalised(own, v) - top) * inverse);
    }
  }
  before += sum_before(lane, weight);
  let passing = group_first(lane, lane, weight > 0.0 && before + weight > goal);
  let last = group_max(lane, select(0.0, f32(lane), weight > 0.0));
  if lane == min(passing, u32(last)) {
    var sum = before;
    for (var v = begin; v < end; v++) {
      if bitcast<u32>(counts_after[base + v]) >= least {
        sum += exp_safe((penalised(own, v) - top) * inverse);
        drawn = v;
        if sum > goal {
          break;
        }
      }
    }
  }
  workgroupBarrier();
  storageBarrier();
  let is_greedy = temperature == 0.0;
  let token = select(drawn, best, is_greedy);
  let is_holder = select(own.number == holder, best >= own.begin && best < own.end, is_greedy);
  if lane == 0u && is_holder {
    tokens[own.row] = i32(token);
  }
  let decay = setting(own, 7u);
  for (var v = own.begin + lane; v < own.end; v += WG) {
    counts_after[base + v] = decay * counts[base + v] + select(0.0, 1.0, is_holder && v == token);
  }
}
`,
  scatterAdd: `// y[v] = Σ x[n] over the n with ids[n] = v, in the order of n; one invocation an element of y

struct Params { count: u32, width: u32, tokens: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<i32>; // [tokens]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [tokens, width]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count / width, width]

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
  let row = i32(i / params.width);
  let channel = i % params.width;
  var sum = 0.0;
  for (var n = 0u; n < params.tokens; n++) {
    if ids[n] == row {
      sum += x[n * params.width + channel];
    }
  }
  y[i] = sum;
}
`,
  select: `// y = a where condition ≠ 0, else b; operands broadcast

struct Params { count: u32, axes: u32, pad: vec2u, shape: Axes, condition: Axes, a: Axes, b: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> condition: array<i32>; // broadcasts to the shape of y
@group(0) @binding(2) var<storage, read> a: array<f32>; // broadcasts to the shape of y
@group(0) @binding(3) var<storage, read> b: array<f32>; // broadcasts to the shape of y
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [count]

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
  if condition[place(i, params.axes, params.shape, params.condition)] != 0 {
    y[i] = a[place(i, params.axes, params.shape, params.a)];
  } else {
    y[i] = b[place(i, params.axes, params.shape, params.b)];
  }
}
`,
  softmax: `// y = exp(x − max x) / Σ exp(x − max x) along the last axis; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_index(group, groups);
  let base = row * params.width;
  let inside = row < params.rows;
  var best = LOWEST;
  for (var i = lane; inside && i < params.width; i += WG) {
    best = max(best, x[base + i]);
  }
  best = group_max(lane, best);
  var sum = 0.0;
  for (var i = lane; inside && i < params.width; i += WG) {
    sum += exp_safe(x[base + i] - best);
  }
  sum = group_sum(lane, sum);
  for (var i = lane; inside && i < params.width; i += WG) {
    y[base + i] = exp_safe(x[base + i] - best) / sum;
  }
}
`,
  stateRead: `// y[s] = pool[slots[s]]

struct Params { count: u32, width: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pool: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> slots: array<i32>; // [count / width], kept inside the pool
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count / width, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let row = u32(clamp(slots[i / params.width], 0, i32(params.rows) - 1));
    y[i] = pool[row * params.width + i % params.width];
  }
}
`,
  stateWrite: `// pool[slots[s]] = value[s], in the pool's own memory

struct Params { count: u32, width: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> pool: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> slots: array<i32>; // [count / width]; one outside the pool is left out
@group(0) @binding(3) var<storage, read> value: array<f32>; // [count / width, width]

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
  let slot = slots[i / params.width];
  if slot >= 0 && slot < i32(params.rows) {
    pool[u32(slot) * params.width + i % params.width] = value[i];
  }
}
`,
  tokenShift: `// y[t] = x[t − 1] inside a sequence, the state at its first token; the state becomes its last token. One invocation a
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
`,
  tokenShiftGrad: `// gx[t] = gy[t + 1] inside a sequence, glast at its last token; gprev = gy at its first token, glast when it has none.
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
`,
  unary: `// y = fn(x)

override FN: u32;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [count]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [count]

fn apply(v: f32) -> f32 {
  switch FN {
    case 0u: { return -v; }
    case 1u: { return abs(v); }
    case 2u: { return exp_safe(v); }
    case 3u: { return log(v); }
    case 4u: { return sqrt(v); }
    case 5u: { return 1.0 / v; }
    case 6u: { return sigmoid(v); }
    case 7u: { return tanh_safe(v); }
    default: { return max(v, 0.0); }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    y[i] = apply(x[i]);
  }
}
`,
  wkv4: `// The average of RWKV-4, its sums scaled by e^{−pp}. One invocation a channel of a sequence.

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
`,
  wkv4Grad: `// Gradient of wkv4: forward, keeping the state before every token; then back. One invocation a channel of a sequence.

struct Params {
  count: u32, // sequences · width
  width: u32,
  tokens: u32,
  sequences: u32,
  w: u32, // where the parts of packed begin
  u: u32,
  k: u32,
  v: u32,
  aa0: u32,
  bb0: u32,
  pp0: u32,
  starts: u32,
  gy: u32,
  gaa: u32,
  gbb: u32,
  gpp: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>; // all inputs
@group(0) @binding(2) var<storage, read_write> states: array<f32>; // aa, bb, pp before each token [tokens, width]
// gk, gv [tokens, width], gaa0, gbb0, gpp0 and gw, gu of each sequence [count]
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;

fn number(at: u32) -> f32 {
  return bitcast<f32>(packed[at]);
}

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
  let channel = i % params.width;
  let starts_at = params.starts + i / params.width;
  let range = clamp_range(bitcast<i32>(packed[starts_at]), bitcast<i32>(packed[starts_at + 1u]), params.tokens);
  let stream = params.tokens * params.width;
  let w = number(params.w + channel);
  let u = number(params.u + channel);

  var aa = number(params.aa0 + i);
  var bb = number(params.bb0 + i);
  var pp = number(params.pp0 + i);
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.width + channel;
    states[at] = aa;
    states[stream + at] = bb;
    states[2u * stream + at] = pp;
    let key = number(params.k + at);
    let q = max(pp + w, key);
    let keep = exp_safe(pp + w - q);
    let added = exp_safe(key - q);
    aa = keep * aa + added * number(params.v + at);
    bb = keep * bb + added;
    pp = q;
  }

  var ga = number(params.gaa + i);
  var gb = number(params.gbb + i);
  var gp = number(params.gpp + i);
  var gw = 0.0;
  var gu = 0.0;
  for (var t = range.y; t > range.x; t--) {
    let at = (t - 1u) * params.width + channel;
    let a = states[at];
    let b = states[stream + at];
    let p = states[2u * stream + at];
    let key = number(params.k + at);
    let value = number(params.v + at);

    // The new state: its maximum q moves with its larger argument.
    let decayed = p + w;
    let q = max(decayed, key);
    let keep = exp_safe(decayed - q);
    let added = exp_safe(key - q);
    let gkeep = keep * (ga * a + gb * b);
    let gadded = added * (ga * value + gb);
    let gq = gp - gkeep - gadded;
    let gdecayed = gkeep + select(0.0, gq, decayed >= key);

    // The output, whose maximum cancels.
    let m = max(p, u + key);
    let past = exp_safe(p - m);
    let present = exp_safe(u + key - m);
    let below = past * b + present;
    let gnum = number(params.gy + at) / below;
    let gden = -gnum * (past * a + present * value) / below;
    let gpresent = present * (gnum * value + gden);

    grads[at] = gadded + select(gq, 0.0, decayed >= key) + gpresent;
    grads[stream + at] = added * ga + present * gnum;
    gw += gdecayed;
    gu += gpresent;
    gp = gdecayed + past * (gnum * a + gden * b);
    ga = keep * ga + past * gnum;
    gb = keep * gb + past * gden;
  }
  let rest = 2u * stream + i;
  grads[rest] = ga;
  grads[rest + params.count] = gb;
  grads[rest + 2u * params.count] = gp;
  grads[rest + 3u * params.count] = gw;
  grads[rest + 4u * params.count] = gu;
}
`,
  wkv6: `// y = r (S + u ⊙ kᵀ v);  S = diag(exp lw) S + kᵀ v. One workgroup a head of a sequence, one invocation a column of S.

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
`,
  wkv6Grad: `// Gradient of wkv6: forward, keeping a state every CHUNK tokens; then chunk by chunk back, its states made again from
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

/// How much of row \`lane\` of the state is kept at the token whose row is \`at\`.
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
`,
  wkv7: `// S = S diag(exp lw) + (S a) bᵀ + v kᵀ;  y = S r. One workgroup a head of a sequence, one invocation a row of S.

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
`,
  wkv7Grad: `// Gradient of wkv7: forward, keeping a state every CHUNK tokens; then chunk by chunk back, its states made again from
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

/// One row of the state after a token, from that before it; both may be the same memory. \`at\` is the token's row.
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
`,
  prelude: `// Put before every shader. Numbers are f32; constants must be finite; NaN is found by its bits only.

override WG: u32 = 64u;
/// Neighbouring invocations that \`lanes_sum\` adds up: a power of 2.
override LANES: u32 = 1u;

/// Sizes of an index space, or strides of an operand, over up to 8 axes, the fastest first.
struct Axes { near: vec4u, far: vec4u }

/// Number of the workgroup: they are counted along x and go on in y where one dimension does not hold them all.
fn group_index(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}

/// Number of the invocation over all workgroups.
fn global_index(group: vec3u, groups: vec3u, lane: u32) -> u32 {
  return group_index(group, groups) * WG + lane;
}

/// Where element \`index\` of a row-major space of \`count\` axes lies in an operand with these strides.
fn place(index: u32, count: u32, shape: Axes, strides: Axes) -> u32 {
  if count <= 1u {
    return index * strides.near.x;
  }
  var offset = (index % shape.near.x) * strides.near.x;
  var rest = index / shape.near.x;
  for (var i = 1u; i + 1u < count; i++) {
    let size = select(shape.far, shape.near, i < 4u)[i % 4u];
    offset += (rest % size) * select(strides.far, strides.near, i < 4u)[i % 4u];
    rest /= size;
  }
  let last = count - 1u;
  return offset + rest * select(strides.far, strides.near, last < 4u)[last % 4u];
}

/// exp that is 0 where f32 has no normal number left, and infinite, never NaN, where it overflows.
fn exp_safe(x: f32) -> f32 {
  return select(exp(clamp(x, -87.3, 89.0)), 0.0, x < -87.3);
}

/// tanh, which some adapters make NaN for large arguments.
fn tanh_safe(x: f32) -> f32 {
  return tanh(clamp(x, -15.0, 15.0));
}

fn sigmoid(x: f32) -> f32 {
  let e = exp_safe(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

/// Less than every number that matters: where a maximum starts.
const LOWEST = -3.0e38;

/// Rows \`begin\` to \`end\` of sequence \`s\`, kept inside the batch whatever \`starts\` holds.
fn clamp_range(begin: i32, end: i32, tokens: u32) -> vec2u {
  let last = u32(clamp(end, 0, i32(tokens)));
  return vec2u(min(u32(max(begin, 0)), last), last);
}

/// The least number of the lanes that are asked, below 2²⁴, which is what comes out where none is; every lane gets it. All
/// lanes must come here together.
fn group_first(lane: u32, number: u32, asked: bool) -> u32 {
  return u32(min(-group_max(lane, select(LOWEST, -f32(number), asked)), 16777216.0));
}
`,
  roofline: `// What a GPU reaches at most: reading memory, or multiplying and adding. x has WG · groups · k quartets.

override READS: bool;

struct Params { count: u32, rounds: u32 } // quartets of x; rounds of arithmetic

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [count]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [1]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let all = groups.x * groups.y * WG;
  let first = global_index(group, groups, lane);
  var sum = vec4f();
  if READS {
    var others = array<vec4f, 3>();
    for (var i = first; i < params.count; i += 4u * all) {
      sum += x[i];
      others[0] += x[min(i + all, params.count - 1u)];
      others[1] += x[min(i + 2u * all, params.count - 1u)];
      others[2] += x[min(i + 3u * all, params.count - 1u)];
    }
    sum += others[0] + others[1] + others[2];
  } else {
    var chains: array<vec4f, 8>;
    for (var i = 0u; i < 8u; i++) {
      chains[i] = vec4f(f32(first + i));
    }
    for (var round = 0u; round < params.rounds; round++) {
      for (var i = 0u; i < 8u; i++) {
        chains[i] = fma(chains[i], vec4f(0.5), vec4f(0.5));
      }
    }
    for (var i = 0u; i < 8u; i++) {
      sum += chains[i];
    }
  }
  // Never so, but no compiler knows.
  if dot(sum, vec4f(1.0)) == -12345.0 {
    y[0] = 1.0;
  }
}
`,
  subgroups: `// Whether the invocations of a subgroup are neighbours in the workgroup, in their order. A shader of its own.

enable subgroups;

@group(0) @binding(0) var<storage, read_write> fits: array<u32>; // [256]

@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) own: u32,
  @builtin(subgroup_size) size: u32,
) {
  let together = subgroupAdd(1u);
  fits[lane] = select(0u, 1u, lane % size == own && together == size);
}
`,
  sumsByMemory: `// Put after the prelude where a device has no subgroups: sums over invocations by way of shared memory.

var<workgroup> partial: array<f32, WG>;

/// Sum over the workgroup, in the order of the lanes; every lane gets it. All lanes must come here together.
fn group_sum(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WG; i++) {
    sum += partial[i];
  }
  return sum;
}

var<workgroup> partial2: array<vec2f, WG>;

/// Two such sums at once.
fn group_sum2(lane: u32, value: vec2f) -> vec2f {
  workgroupBarrier();
  partial2[lane] = value;
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < WG; i++) {
    sum += partial2[i];
  }
  return sum;
}

/// Maximum over the workgroup; every lane gets it. All lanes must come here together.
fn group_max(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  var best = partial[0];
  for (var i = 1u; i < WG; i++) {
    best = max(best, partial[i]);
  }
  return best;
}

var<workgroup> partial4: array<vec4f, WG>;

/// Four sums over the LANES invocations from a multiple of LANES on. All lanes must come here together.
fn lanes_sum(lane: u32, value: vec4f) -> vec4f {
  if LANES == 1u {
    return value;
  }
  workgroupBarrier();
  partial4[lane] = value;
  workgroupBarrier();
  let first = lane - lane % LANES;
  var sum = vec4f();
  for (var i = 0u; i < LANES; i++) {
    sum += partial4[first + i];
  }
  return sum;
}
`,
  sumsBySubgroups: `// Put after the prelude where a device has subgroups of neighbouring invocations: the same sums with fewer steps. A
// workgroup is several whole subgroups or less than one: WG is a power of 2.

var<workgroup> partial: array<f32, WG>;

/// Sum over the workgroup; every lane gets it. All lanes must come here together.
fn group_sum(lane: u32, value: f32) -> f32 {
  let size = subgroupAdd(1u);
  let own = subgroupAdd(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial[lane / size] = own;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WG / size; i++) {
    sum += partial[i];
  }
  return sum;
}

var<workgroup> partial2: array<vec2f, WG>;

/// Two such sums at once.
fn group_sum2(lane: u32, value: vec2f) -> vec2f {
  let size = subgroupAdd(1u);
  let own = subgroupAdd(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial2[lane / size] = own;
  }
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < WG / size; i++) {
    sum += partial2[i];
  }
  return sum;
}

/// Maximum over the workgroup; every lane gets it. All lanes must come here together.
fn group_max(lane: u32, value: f32) -> f32 {
  let size = subgroupAdd(1u);
  let own = subgroupMax(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial[lane / size] = own;
  }
  workgroupBarrier();
  var best = partial[0];
  for (var i = 1u; i < WG / size; i++) {
    best = max(best, partial[i]);
  }
  return best;
}

/// Four sums over the LANES invocations from a multiple of LANES on; LANES divides a subgroup. All lanes must come here together.
fn lanes_sum(lane: u32, value: vec4f) -> vec4f {
  var sum = value;
  for (var step = 1u; step < LANES; step *= 2u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}
`,
};
