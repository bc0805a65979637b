// Put after the prelude where a device has no subgroups: sums over invocations by way of shared memory.

var<workgroup> partial: array<f32, WG>;

/// Sum over the workgroup, in the order of the lanes; every lane gets it. All lanes must come here together.
fn group_sum(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WG; i++) {
    sum += partial[i];
  }
  return sum;
}

var<workgroup> partial2: array<vec2f, WG>;

/// Two such sums at once.
fn group_sum2(lane: u32, value: vec2f) -> vec2f {
  workgroupBarrier();
  partial2[lane] = value;
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < WG; i++) {
    sum += partial2[i];
  }
  return sum;
}

/// Maximum over the workgroup; every lane gets it. All lanes must come here together.
fn group_max(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  var best = partial[0];
  for (var i = 1u; i < WG; i++) {
    best = max(best, partial[i]);
  }
  return best;
}

var<workgroup> partial4: array<vec4f, WG>;

/// Four sums over the LANES invocations from a multiple of LANES on. All lanes must come here together.
fn lanes_sum(lane: u32, value: vec4f) -> vec4f {
  if LANES == 1u {
    return value;
  }
  workgroupBarrier();
  partial4[lane] = value;
  workgroupBarrier();
  let first = lane - lane % LANES;
  var sum = vec4f();
  for (var i = 0u; i < LANES; i++) {
    sum += partial4[first + i];
  }
  return sum;
}
