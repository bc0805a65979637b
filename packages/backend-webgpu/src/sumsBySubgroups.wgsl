// Put after the prelude where a device has subgroups of neighbouring invocations: the same sums with fewer steps. A
// workgroup is several whole subgroups or less than one: WG is a power of 2.

var<workgroup> partial: array<f32, WG>;

/// Sum over the workgroup; every lane gets it. All lanes must come here together.
fn group_sum(lane: u32, value: f32) -> f32 {
  let size = subgroupAdd(1u);
  let own = subgroupAdd(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial[lane / size] = own;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WG / size; i++) {
    sum += partial[i];
  }
  return sum;
}

var<workgroup> partial2: array<vec2f, WG>;

/// Two such sums at once.
fn group_sum2(lane: u32, value: vec2f) -> vec2f {
  let size = subgroupAdd(1u);
  let own = subgroupAdd(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial2[lane / size] = own;
  }
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < WG / size; i++) {
    sum += partial2[i];
  }
  return sum;
}

/// Maximum over the workgroup; every lane gets it. All lanes must come here together.
fn group_max(lane: u32, value: f32) -> f32 {
  let size = subgroupAdd(1u);
  let own = subgroupMax(value);
  workgroupBarrier();
  if lane % size == 0u {
    partial[lane / size] = own;
  }
  workgroupBarrier();
  var best = partial[0];
  for (var i = 1u; i < WG / size; i++) {
    best = max(best, partial[i]);
  }
  return best;
}

/// Four sums over the LANES invocations from a multiple of LANES on; LANES divides a subgroup. All lanes must come here together.
fn lanes_sum(lane: u32, value: vec4f) -> vec4f {
  var sum = value;
  for (var step = 1u; step < LANES; step *= 2u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}
