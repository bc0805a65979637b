// Put before every shader. Numbers are f32; constants must be finite; NaN is found by its bits only.

override WG: u32 = 64u;
/// Neighbouring invocations that `lanes_sum` adds up: a power of 2.
override LANES: u32 = 1u;

/// Sizes of an index space, or strides of an operand, over up to 8 axes, the fastest first.
struct Axes { near: vec4u, far: vec4u }

/// Number of the workgroup: they are counted along x and go on in y where one dimension does not hold them all.
fn group_index(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}

/// Number of the invocation over all workgroups.
fn global_index(group: vec3u, groups: vec3u, lane: u32) -> u32 {
  return group_index(group, groups) * WG + lane;
}

/// Where element `index` of a row-major space of `count` axes lies in an operand with these strides.
fn place(index: u32, count: u32, shape: Axes, strides: Axes) -> u32 {
  if count <= 1u {
    return index * strides.near.x;
  }
  var offset = (index % shape.near.x) * strides.near.x;
  var rest = index / shape.near.x;
  for (var i = 1u; i + 1u < count; i++) {
    let size = select(shape.far, shape.near, i < 4u)[i % 4u];
    offset += (rest % size) * select(strides.far, strides.near, i < 4u)[i % 4u];
    rest /= size;
  }
  let last = count - 1u;
  return offset + rest * select(strides.far, strides.near, last < 4u)[last % 4u];
}

/// exp that is 0 where f32 has no normal number left, and infinite, never NaN, where it overflows.
fn exp_safe(x: f32) -> f32 {
  return select(exp(clamp(x, -87.3, 89.0)), 0.0, x < -87.3);
}

/// tanh, which some adapters make NaN for large arguments.
fn tanh_safe(x: f32) -> f32 {
  return tanh(clamp(x, -15.0, 15.0));
}

fn sigmoid(x: f32) -> f32 {
  let e = exp_safe(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

/// Less than every number that matters: where a maximum starts.
const LOWEST = -3.0e38;

/// Rows `begin` to `end` of sequence `s`, kept inside the batch whatever `starts` holds.
fn clamp_range(begin: i32, end: i32, tokens: u32) -> vec2u {
  let last = u32(clamp(end, 0, i32(tokens)));
  return vec2u(min(u32(max(begin, 0)), last), last);
}

/// The least number of the lanes that are asked, below 2²⁴, which is what comes out where none is; every lane gets it. All
/// lanes must come here together.
fn group_first(lane: u32, number: u32, asked: bool) -> u32 {
  return u32(min(-group_max(lane, select(LOWEST, -f32(number), asked)), 16777216.0));
}
