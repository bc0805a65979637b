// y = x as the other type; towards i32 the fraction is dropped

override FROM_INTEGER: bool;
override TO_INTEGER: bool;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [count] bits of f32 or i32
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [count] bits of f32 or i32

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
  if FROM_INTEGER == TO_INTEGER {
    y[i] = x[i];
  } else if TO_INTEGER {
    y[i] = bitcast<u32>(i32(bitcast<f32>(x[i])));
  } else {
    y[i] = bitcast<u32>(f32(bitcast<i32>(x[i])));
  }
}
