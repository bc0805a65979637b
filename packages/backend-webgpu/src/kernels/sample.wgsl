// One token of each row by inverse distribution function; one workgroup a row. Thresholds are found by halving the
// range of a probability's bits, which for numbers ≥ 0 are in the order of the numbers: no sorting.

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> parameters: array<f32>; // [rows, 8]
@group(0) @binding(3) var<storage, read> counts: array<f32>; // [rows, width]
@group(0) @binding(4) var<storage, read> u: array<f32>; // [rows]
@group(0) @binding(5) var<storage, read_write> tokens: array<i32>; // [rows]
@group(0) @binding(6) var<storage, read_write> counts_after: array<f32>; // [rows, width]; holds p until the draw is done

const BITS_OF_ONE = 0x3f800000u;

var<workgroup> places: array<u32, WG>;
var<workgroup> weights: array<f32, WG>;
var<workgroup> drawn: u32;

/// Logit of column v after the penalties.
fn penalised(row: u32, v: u32) -> f32 {
  let settings = row * 8u;
  let logit = logits[row * params.width + v];
  let count = counts[row * params.width + v];
  if count <= 0.0 {
    return logit;
  }
  let repetition = parameters[settings + 6u];
  let repeated = select(logit * repetition, logit / repetition, logit > 0.0);
  return repeated - (parameters[settings + 4u] + parameters[settings + 5u] * count);
}

/// The largest threshold such that the probabilities not below it weigh `least` or more; 0 when all together do not.
fn threshold(row: u32, lane: u32, counted: bool, least: f32) -> f32 {
  let base = row * params.width;
  var low = 0u;
  var high = BITS_OF_ONE + 1u;
  for (var round = 0u; round < 31u; round++) {
    let middle = low + (high - low) / 2u;
    var weight = 0.0;
    for (var v = lane; v < params.width; v += WG) {
      let p = counts_after[base + v];
      if bitcast<u32>(p) >= middle {
        weight += select(p, 1.0, counted);
      }
    }
    if group_sum(lane, weight) >= least {
      low = middle;
    } else {
      high = middle;
    }
  }
  return bitcast<f32>(low);
}

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
  let width = params.width;
  let base = row * width;
  let temperature = parameters[row * 8u];
  let top_k = floor(parameters[row * 8u + 1u]);
  let top_p = parameters[row * 8u + 2u];
  let min_p = parameters[row * 8u + 3u];

  var best = LOWEST;
  var at = width;
  for (var v = lane; v < width; v += WG) {
    let l = penalised(row, v);
    if at == width || l > best {
      best = l;
      at = v;
    }
  }
  let top = group_max(lane, best);
  places[lane] = select(width, at, best == top);
  workgroupBarrier();
  var first = width - 1u;
  for (var i = 0u; i < WG; i++) {
    first = min(first, places[i]);
  }

  var sum = 0.0;
  for (var v = lane; v < width; v += WG) {
    sum += exp_safe(penalised(row, v) - top);
  }
  let total = group_sum(lane, sum);
  var own = 0.0;
  for (var v = lane; v < width; v += WG) {
    let p = exp_safe(penalised(row, v) - top) / total;
    counts_after[base + v] = p;
    own = max(own, p);
  }
  let largest = group_max(lane, own);

  var least = min_p * largest;
  if top_k >= 1.0 {
    least = max(least, threshold(row, lane, true, top_k));
  }
  if top_p < 1.0 {
    least = max(least, threshold(row, lane, false, top_p));
  }
  least = min(least, largest);

  // From here on a lane has neighbouring columns, so that the running sum goes from lane to lane.
  storageBarrier();
  let inverse = 1.0 / max(temperature, 1.0e-6);
  let chunk = (width + WG - 1u) / WG;
  let begin = min(lane * chunk, width);
  let end = min(begin + chunk, width);
  var weight = 0.0;
  var last = 0u; // the last column kept
  for (var v = begin; v < end; v++) {
    if counts_after[base + v] >= least {
      weight += exp_safe((penalised(row, v) - top) * inverse);
      last = v;
    }
  }
  let goal = u[row] * group_sum(lane, weight);
  workgroupBarrier();
  places[lane] = last;
  weights[lane] = weight;
  workgroupBarrier();
  if lane == 0u {
    var before = 0.0;
    var found = WG;
    var token = 0u;
    for (var i = 0u; i < WG && found == WG; i++) {
      token = max(token, places[i]);
      if before + weights[i] > goal {
        found = i;
      } else {
        before += weights[i];
      }
    }
    for (var v = found * chunk; found < WG && v < min((found + 1u) * chunk, width); v++) {
      if counts_after[base + v] >= least {
        before += exp_safe((penalised(row, v) - top) * inverse);
        token = v;
        if before > goal {
          break;
        }
      }
    }
    drawn = select(token, first, temperature == 0.0);
    tokens[row] = i32(drawn);
  }
  workgroupBarrier();
  storageBarrier();
  let decay = parameters[row * 8u + 7u];
  for (var v = lane; v < width; v += WG) {
    counts_after[base + v] = decay * counts[base + v] + select(0.0, 1.0, v == drawn);
  }
}
