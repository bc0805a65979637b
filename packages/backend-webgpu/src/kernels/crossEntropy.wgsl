// y[n] = log Σ exp(logits[n]) − logits[n, targets[n]], 0 without a target; one workgroup a row

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> targets: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [rows]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_index(group, groups);
  if row >= params.rows {
    return;
  }
  let base = row * params.width;
  var best = LOWEST;
  for (var v = lane; v < params.width; v += WG) {
    best = max(best, logits[base + v]);
  }
  best = group_max(lane, best);
  var sum = 0.0;
  for (var v = lane; v < params.width; v += WG) {
    sum += exp_safe(logits[base + v] - best);
  }
  sum = group_sum(lane, sum);
  if lane == 0u {
    let goal = targets[row];
    let inside = goal >= 0 && goal < i32(params.width);
    y[row] = select(0.0, log(sum) + (best - logits[base + u32(max(goal, 0))]), inside);
  }
}
