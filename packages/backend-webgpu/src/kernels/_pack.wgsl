// Up to four operands one after the other in one buffer.

struct Params { base: u32, pad_a: u32, pad_b: u32, pad_c: u32, ends: vec4u } // where the parts begin, and where each ends

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>; // [ends.x]
@group(0) @binding(2) var<storage, read> b: array<u32>; // [ends.y − ends.x]
@group(0) @binding(3) var<storage, read> c: array<u32>; // [ends.z − ends.y]
@group(0) @binding(4) var<storage, read> d: array<u32>; // [ends.w − ends.z]
@group(0) @binding(5) var<storage, read_write> y: array<u32>; // [base + ends.w]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  let at = params.base + i;
  if i < params.ends.x {
    y[at] = a[i];
  } else if i < params.ends.y {
    y[at] = b[i - params.ends.x];
  } else if i < params.ends.z {
    y[at] = c[i - params.ends.y];
  } else if i < params.ends.w {
    y[at] = d[i - params.ends.z];
  }
}
