// The transpose of a weight in any format, or of a part of it, as f32; one invocation an element

struct Params { count: u32, at: u32, rows: u32, columns: u32, first: u32, all: u32 } // rows of the part; all rows

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [columns, all]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let row = i % params.rows;
    let column = i / params.rows;
    y[column * params.all + params.first + row] = weight_at(params.at, params.rows, params.columns, row, column);
  }
}
