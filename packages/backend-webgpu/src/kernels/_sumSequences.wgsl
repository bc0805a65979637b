// y = Σ over sequences of parts of scratch memory; one invocation an element of y

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
