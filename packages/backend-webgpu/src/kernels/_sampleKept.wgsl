// The threshold of a row; of each part the weight of what is kept, at the row's temperature

@group(0) @binding(5) var<storage, read> p: array<f32>; // [rows, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let own = part_of(group, groups);
  if own.number == params.parts {
    return;
  }
  let base = own.row * params.width;
  let top = peak_of(lane, own).top;
  let is_top = lane < params.parts && bitcast<f32>(work[peak_at(own, min(lane, params.parts - 1u))]) == top;
  let best = work[peak_at(own, min(group_first(lane, lane, is_top), params.parts - 1u)) + 2u];
  let largest = p[base + best];
  let thresholds = settled(lane, own, 3u, 7u);
  var least = bitcast<u32>(setting(own, 3u) * largest);
  if is_counted(own) {
    least = max(least, thresholds.by_count);
  }
  if is_weighed(own) {
    least = max(least, thresholds.by_weight);
  }
  least = min(least, bitcast<u32>(largest));

  let inverse = 1.0 / max(setting(own, 0u), 1.0e-6);
  var sum = 0.0;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    if bitcast<u32>(p[base + v]) >= least {
      sum += exp_safe((penalised(own, v) - top) * inverse);
    }
  }
  let weight = group_sum(lane, sum);
  if lane == 0u {
    work[kept_at(own, own.number)] = bitcast<u32>(weight);
    if own.number == 0u {
      work[own.work] = bitcast<u32>(top);
      work[own.work + 1u] = best;
      work[own.work + 2u] = least;
    }
  }
}
