// Four operands one after the other in one buffer.

struct Params { ends: vec4u } // where each part ends

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>; // [ends.x]
@group(0) @binding(2) var<storage, read> b: array<u32>; // [ends.y − ends.x]
@group(0) @binding(3) var<storage, read> c: array<u32>; // [ends.z − ends.y]
@group(0) @binding(4) var<storage, read> d: array<u32>; // [ends.w − ends.z]
@group(0) @binding(5) var<storage, read_write> y: array<u32>; // [ends.w]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.ends.x {
    y[i] = a[i];
  } else if i < params.ends.y {
    y[i] = b[i - params.ends.x];
  } else if i < params.ends.z {
    y[i] = c[i - params.ends.y];
  } else if i < params.ends.w {
    y[i] = d[i - params.ends.z];
  }
}
