// y = x @ w for f32, four columns an invocation

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
