// The largest logit of each part after the penalties, Σ exp(logit − largest), and the first column of the largest

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
  var best = LOWEST;
  var at = own.end;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    let logit = penalised(own, v);
    if at == own.end || logit > best {
      best = logit;
      at = v;
    }
  }
  let top = group_max(lane, best);
  let first = group_first(lane, at - own.begin, at < own.end && best == top);
  var sum = 0.0;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    sum += exp_safe(penalised(own, v) - top);
  }
  let total = group_sum(lane, sum);
  if lane == 0u {
    let to = peak_at(own, own.number);
    work[to] = bitcast<u32>(top);
    work[to + 1u] = bitcast<u32>(total);
    work[to + 2u] = min(own.begin + first, own.end - 1u);
  }
}
