// y = op(a) @ op(b), a batch of products; one invocation an element of y

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
