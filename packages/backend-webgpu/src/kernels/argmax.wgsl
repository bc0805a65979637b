// y[r] = the least v with x[r, v] = max x[r]; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read_write> y: array<i32>; // [rows]

var<workgroup> places: array<u32, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_index(group, groups);
  let base = row * params.width;
  let inside = row < params.rows;
  var best = LOWEST;
  var at = params.width;
  for (var v = lane; inside && v < params.width; v += WG) {
    if at == params.width || x[base + v] > best {
      best = x[base + v];
      at = v;
    }
  }
  let top = group_max(lane, best);
  places[lane] = select(params.width, at, best == top);
  workgroupBarrier();
  if lane == 0u && inside {
    var first = places[0];
    for (var i = 1u; i < WG; i++) {
      first = min(first, places[i]);
    }
    y[row] = i32(min(first, params.width - 1u));
  }
}
