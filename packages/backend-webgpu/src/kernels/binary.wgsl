// y = fn(a, b), operands broadcast

override FN: u32;

struct Params { count: u32, axes: u32, pad: vec2u, shape: Axes, a: Axes, b: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // broadcasts to the shape of y
@group(0) @binding(2) var<storage, read> b: array<f32>; // broadcasts to the shape of y
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count]

fn apply(p: f32, q: f32) -> f32 {
  switch FN {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return min(p, q); }
    default: { return max(p, q); }
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
    let p = a[place(i, params.axes, params.shape, params.a)];
    let q = b[place(i, params.axes, params.shape, params.b)];
    y[i] = apply(p, q);
  }
}
