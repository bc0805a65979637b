// y = fn over some axes of x; one workgroup an element of y

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
