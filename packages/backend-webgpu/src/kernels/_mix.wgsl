// The layer norm of the residual stream, and mixtures of each token with the one before it. One workgroup a token; that of
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
