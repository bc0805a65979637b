// y[n] = table[ids[n]], of a table of any format or a part of it

struct Params {
  count: u32,
  width: u32,
  all: u32, // rows of the table
  at: u32, // chunk where the part begins
  first: u32, // its first row in the table
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> ids: array<i32>; // [count / width], kept inside the table
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [count / width, width]

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
  let row = u32(clamp(ids[i / params.width], 0, i32(params.all) - 1)) - params.first;
  if row < params.rows {
    y[i] = weight_at(params.at, params.rows, params.width, row, i % params.width);
  }
}
