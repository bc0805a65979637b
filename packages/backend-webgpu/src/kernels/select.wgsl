// y = a where condition ≠ 0, else b; operands broadcast

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
