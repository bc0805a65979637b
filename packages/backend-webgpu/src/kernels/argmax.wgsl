// y[r] = the least v with x[r, v] = max x[r]; one workgroup a part of a row. Rows in parts are gone through again: of
// the columns that the first pass listed.

override LISTED: bool;

struct Params {
  count: u32, // rows · parts
  width: u32,
  parts: u32, // of a row
  length: u32, // columns of a part, the last may have fewer; or those listed
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> listed: array<u32>; // [rows, length] when LISTED, rising
@group(0) @binding(3) var<storage, read_write> y: array<i32>; // [rows, parts]

fn column(row: u32, part: u32, i: u32) -> u32 {
  if LISTED {
    return listed[row * params.length + i];
  }
  return part * params.length + i;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  if index >= params.count {
    return;
  }
  let row = index / params.parts;
  let part = index % params.parts;
  let length = min(params.length, params.width - part * params.length);
  let base = row * params.width;
  var best = LOWEST;
  var at = length;
  for (var i = lane; i < length; i += WG) {
    let value = x[base + column(row, part, i)];
    if at == length || value > best {
      best = value;
      at = i;
    }
  }
  let top = group_max(lane, best);
  let first = group_first(lane, at, at < length && best == top);
  if lane == 0u {
    y[index] = i32(column(row, part, min(first, length - 1u)));
  }
}
