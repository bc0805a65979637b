// A histogram of the probabilities of a part by the next bits of the thresholds: how many there are in each bucket, and
// what they weigh. Within a bucket they have one exponent, so weights are whole numbers, added up exactly in any order.

@group(0) @binding(5) var<storage, read_write> p: array<f32>; // [rows, width], written by the first level

var<workgroup> number: array<atomic<u32>, BUCKETS>;
var<workgroup> high: array<atomic<u32>, BUCKETS>; // half of 24 bits
var<workgroup> low: array<atomic<u32>, BUCKETS>;

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
  var so_far = unsettled(own);
  if params.level == 0u {
    let peak = peak_of(lane, own);
    for (var v = own.begin + lane; v < own.end; v += WG) {
      p[base + v] = exp_safe(penalised(own, v) - peak.top) / peak.total;
    }
  } else {
    so_far = settled(lane, own, params.level - 1u, 8u);
    if lane == 0u && own.number == 0u {
      let to = own.work + 4u * params.level;
      work[to] = so_far.by_count;
      work[to + 1u] = bitcast<u32>(so_far.count);
      work[to + 2u] = so_far.by_weight;
      work[to + 3u] = bitcast<u32>(so_far.weight);
    }
  }
  if !is_counted(own) && !is_weighed(own) {
    return;
  }
  let above = params.below + params.bits;
  let mask = (1u << params.bits) - 1u;
  for (var v = own.begin + lane; v < own.end; v += WG) {
    let word = bitcast<u32>(p[base + v]);
    let bucket = BUCKETS - 1u - ((word >> params.below) & mask);
    if is_counted(own) && (word >> above) == so_far.by_count {
      atomicAdd(&number[bucket], 1u);
    }
    if is_weighed(own) && (word >> above) == so_far.by_weight {
      let mantissa = (word & 0x7fffffu) | 0x800000u;
      atomicAdd(&high[bucket], mantissa >> 12u);
      atomicAdd(&low[bucket], mantissa & 0xfffu);
    }
  }
  workgroupBarrier();
  let to = histogram_at(own, own.number, params.level) + lane;
  work[to] = atomicLoad(&number[lane]);
  work[to + BUCKETS] = atomicLoad(&high[lane]);
  work[to + 2u * BUCKETS] = atomicLoad(&low[lane]);
}
