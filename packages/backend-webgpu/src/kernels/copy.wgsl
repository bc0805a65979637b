// Elements of x to other places in y: transpose, slice, concat, broadcast, and where a state begins.

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
