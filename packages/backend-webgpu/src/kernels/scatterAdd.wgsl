// y[v] = Σ x[n] over the n with ids[n] = v, in the order of n; one invocation an element of y

struct Params { count: u32, width: u32, tokens: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<i32>; // [tokens]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [tokens, width]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count / width, width]

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
  let row = i32(i / params.width);
  let channel = i % params.width;
  var sum = 0.0;
  for (var n = 0u; n < params.tokens; n++) {
    if ids[n] == row {
      sum += x[n * params.width + channel];
    }
  }
  y[i] = sum;
}
