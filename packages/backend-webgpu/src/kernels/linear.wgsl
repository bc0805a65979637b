// y = x @ wᵀ, or x @ w when TRANSPOSED; one invocation an element of y

override TRANSPOSED: bool;

struct Params { count: u32, inner: u32, outer: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [N, inner]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [outer, inner]; TRANSPOSED: [inner, outer]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [N, outer], count in all

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
  let column = i % params.outer;
  let row = (i / params.outer) * params.inner;
  let start = select(column * params.inner, column, TRANSPOSED);
  let step = select(1u, params.outer, TRANSPOSED);
  var sum = 0.0;
  for (var k = 0u; k < params.inner; k++) {
    sum += x[row + k] * w[start + k * step];
  }
  y[i] = sum;
}
