// y = exp(x − max x) / Σ exp(x − max x) along the last axis; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, width]

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
  for (var i = lane; inside && i < params.width; i += WG) {
    best = max(best, x[base + i]);
  }
  best = group_max(lane, best);
  var sum = 0.0;
  for (var i = lane; inside && i < params.width; i += WG) {
    sum += exp_safe(x[base + i] - best);
  }
  sum = group_sum(lane, sum);
  for (var i = lane; inside && i < params.width; i += WG) {
    y[base + i] = exp_safe(x[base + i] - best) / sum;
  }
}
