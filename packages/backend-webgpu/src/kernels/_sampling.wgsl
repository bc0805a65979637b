// Put before the shaders of `sample`, whose workgroups have a part of a row each, and 256 invocations. What they tell
// each other lies in `work`. Bits of probabilities, which are numbers ≥ 0, are in the order of the numbers.

struct Params {
  rows: u32,
  width: u32,
  parts: u32, // of a row
  length: u32, // columns of a part, the last may have fewer
  words: u32, // of the work of a row
  level: u32, // of _sampleNarrow, with the bits that it settles, and how many lie below them
  bits: u32,
  below: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> parameters: array<f32>; // [rows, 8]
@group(0) @binding(3) var<storage, read> counts: array<f32>; // [rows, width]
// [rows] of: what _sampleKept finds [4], thresholds after each level but the last [3, 4]; of each part its peak [3] and
// what it keeps; of each part histograms of two levels, [2, 3, 256]
@group(0) @binding(4) var<storage, read_write> work: array<u32>;

/// Buckets of a histogram. The first is that of the largest probabilities.
const BUCKETS = 256u;

struct Part { row: u32, number: u32, begin: u32, end: u32, work: u32 }

/// The part of a workgroup, and where the work of its row begins. Beyond the last row there is none: `number` is `parts`.
fn part_of(group: vec3u, groups: vec3u) -> Part {
  let index = group_index(group, groups);
  let row = index / params.parts;
  if row >= params.rows {
    return Part(0u, params.parts, 0u, 0u, 0u);
  }
  let number = index % params.parts;
  let begin = number * params.length;
  return Part(row, number, begin, min(begin + params.length, params.width), row * params.words);
}

fn peak_at(own: Part, number: u32) -> u32 {
  return own.work + 16u + number * 4u;
}

fn kept_at(own: Part, number: u32) -> u32 {
  return peak_at(own, number) + 3u;
}

fn histogram_at(own: Part, number: u32, level: u32) -> u32 {
  return own.work + 16u + params.parts * 4u + (number * 2u + level % 2u) * 3u * BUCKETS;
}

fn setting(own: Part, column: u32) -> f32 {
  return parameters[own.row * 8u + column];
}

fn is_counted(own: Part) -> bool {
  return setting(own, 1u) >= 1.0;
}

fn is_weighed(own: Part) -> bool {
  return setting(own, 2u) < 1.0;
}

/// Logit of column v after the penalties.
fn penalised(own: Part, v: u32) -> f32 {
  let logit = logits[own.row * params.width + v];
  let count = counts[own.row * params.width + v];
  if count <= 0.0 {
    return logit;
  }
  let repetition = setting(own, 6u);
  let repeated = select(logit * repetition, logit / repetition, logit > 0.0);
  return repeated - (setting(own, 4u) + setting(own, 5u) * count);
}

/// The largest logit of the row, and Σ exp(logit − largest).
struct Peak { top: f32, total: f32 }

fn peak_of(lane: u32, own: Part) -> Peak {
  let at = peak_at(own, min(lane, params.parts - 1u));
  let is_part = lane < params.parts;
  let top = bitcast<f32>(work[at]);
  let largest = group_max(lane, select(LOWEST, top, is_part));
  let share = bitcast<f32>(work[at + 1u]) * exp_safe(top - largest);
  return Peak(largest, group_sum(lane, select(0.0, share, is_part)));
}

var<workgroup> summands: array<f32, WG>;
var<workgroup> runs: array<f32, WG / 16u>;

/// Sum over the lanes before this one. All lanes must come here together.
fn sum_before(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  summands[lane] = value;
  workgroupBarrier();
  if lane < WG / 16u {
    var run = 0.0;
    for (var i = 0u; i < 16u; i++) {
      run += summands[lane * 16u + i];
    }
    runs[lane] = run;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lane / 16u; i++) {
    sum += runs[i];
  }
  for (var i = lane - lane % 16u; i < lane; i++) {
    sum += summands[i];
  }
  return sum;
}

/// The highest bits of the thresholds, and how much the probabilities from there on must hold yet.
struct Thresholds { by_count: u32, count: f32, by_weight: u32, weight: f32 }

/// The thresholds before the first level: nothing is settled.
fn unsettled(own: Part) -> Thresholds {
  return Thresholds(0u, floor(setting(own, 1u)), 0u, setting(own, 2u));
}

/// The bucket at which a running sum over all of them reaches `least`, the last where it never does, and the sum before it.
struct Reached { bucket: u32, before: f32 }

fn reached(lane: u32, value: f32, least: f32) -> Reached {
  let before = sum_before(lane, value);
  let bucket = min(group_first(lane, lane, before + value >= least), BUCKETS - 1u);
  return Reached(bucket, group_sum(lane, select(0.0, before, lane == bucket)));
}

/// The thresholds after a level of so many bits, from the histograms that it has left.
fn settled(lane: u32, own: Part, level: u32, bits: u32) -> Thresholds {
  var so_far = unsettled(own);
  if level > 0u {
    let at = own.work + 4u * level;
    so_far = Thresholds(work[at], bitcast<f32>(work[at + 1u]), work[at + 2u], bitcast<f32>(work[at + 3u]));
  }
  let first = histogram_at(own, 0u, level) + lane;
  let step = histogram_at(own, 1u, level) + lane - first;
  if is_counted(own) {
    var count = 0.0;
    for (var i = 0u; i < params.parts; i++) {
      count += f32(work[first + i * step]);
    }
    let by_count = reached(lane, count, so_far.count);
    so_far.by_count = (so_far.by_count << bits) | (BUCKETS - 1u - by_count.bucket);
    so_far.count -= by_count.before;
  }
  if is_weighed(own) {
    let exponent = select(so_far.by_weight >> (8u * max(level, 1u) - 8u), BUCKETS - 1u - lane, level == 0u);
    var weight = 0.0;
    for (var i = 0u; i < params.parts; i++) {
      let at = first + i * step + BUCKETS;
      weight += f32(work[at]) * 4096.0 + f32(work[at + BUCKETS]);
    }
    // No probability has a larger exponent than 1 has.
    weight *= bitcast<f32>(min(exponent, 127u) << 23u) / 8388608.0;
    let by_weight = reached(lane, weight, so_far.weight);
    so_far.by_weight = (so_far.by_weight << bits) | (BUCKETS - 1u - by_weight.bucket);
    so_far.weight -= by_weight.before;
  }
  return so_far;
}
