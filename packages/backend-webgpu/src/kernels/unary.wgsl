// y = fn(x)

override FN: u32;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [count]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [count]

fn apply(v: f32) -> f32 {
  switch FN {
    case 0u: { return -v; }
    case 1u: { return abs(v); }
    case 2u: { return exp_safe(v); }
    case 3u: { return log(v); }
    case 4u: { return sqrt(v); }
    case 5u: { return 1.0 / v; }
    case 6u: { return sigmoid(v); }
    case 7u: { return tanh_safe(v); }
    default: { return max(v, 0.0); }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    y[i] = apply(x[i]);
  }
}
