// One token of each row by inverse distribution function: every part adds up what the parts keep, and the one that holds
// the drawn column finds it. All of them make their own counts.

@group(0) @binding(5) var<storage, read> u: array<f32>; // [rows]
@group(0) @binding(6) var<storage, read_write> tokens: array<i32>; // [rows]
@group(0) @binding(7) var<storage, read_write> counts_after: array<f32>; // [rows, width]; holds p before

var<workgroup> drawn: u32;

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
  let top = bitcast<f32>(work[own.work]);
  let best = work[own.work + 1u];
  let least = work[own.work + 2u];
  let temperature = setting(own, 0u);
  let inverse = 1.0 / max(temperature, 1.0e-6);

  var all = 0.0;
  for (var i = 0u; i < params.parts; i++) {
    all += bitcast<f32>(work[kept_at(own, i)]);
  }
  let goal = u[own.row] * all;
  // The part where the sum passes the goal; where rounding keeps it below, the last that weighs something.
  var before = 0.0;
  var holder = 0u;
  for (var i = 0u; i < params.parts; i++) {
    let share = bitcast<f32>(work[kept_at(own, i)]);
    if share > 0.0 {
      holder = i;
    }
    if before + share > goal {
      break;
    }
    before += share;
  }

  // A lane has neighbouring columns, so that the running sum goes from lane to lane.
  let chunk = (own.end - own.begin + WG - 1u) / WG;
  let begin = min(own.begin + lane * chunk, own.end);
  let end = min(begin + chunk, own.end);
  var weight = 0.0;
  for (var v = begin; v < end; v++) {
    if bitcast<u32>(counts_after[base + v]) >= least {
      weight += exp_safe((penalised(own, v) - top) * inverse);
    }
  }
  before += sum_before(lane, weight);
  let passing = group_first(lane, lane, weight > 0.0 && before + weight > goal);
  let last = group_max(lane, select(0.0, f32(lane), weight > 0.0));
  if lane == min(passing, u32(last)) {
    var sum = before;
    for (var v = begin; v < end; v++) {
      if bitcast<u32>(counts_after[base + v]) >= least {
        sum += exp_safe((penalised(own, v) - top) * inverse);
        drawn = v;
        if sum > goal {
          break;
        }
      }
    }
  }
  workgroupBarrier();
  storageBarrier();
  let is_greedy = temperature == 0.0;
  let token = select(drawn, best, is_greedy);
  let is_holder = select(own.number == holder, best >= own.begin && best < own.end, is_greedy);
  if lane == 0u && is_holder {
    tokens[own.row] = i32(token);
  }
  let decay = setting(own, 7u);
  for (var v = own.begin + lane; v < own.end; v += WG) {
    counts_after[base + v] = decay * counts[base + v] + select(0.0, 1.0, is_holder && v == token);
  }
}
