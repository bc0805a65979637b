// y = x / max(‖x‖, eps) over each group of channels; one workgroup a group

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
