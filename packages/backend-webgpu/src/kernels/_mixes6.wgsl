// The five streams of RWKV-6's time mix, whose shares depend on the data; one invocation an element of y.

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
