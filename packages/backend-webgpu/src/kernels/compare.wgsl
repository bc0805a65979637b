// y = 1 where a fn b, else 0; operands broadcast

override FN: u32;
override INTEGER: bool;

struct Params { count: u32, axes: u32, pad: vec2u, shape: Axes, a: Axes, b: Axes }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>; // bits of f32 or i32; broadcasts to the shape of y
@group(0) @binding(2) var<storage, read> b: array<u32>; // as a
@group(0) @binding(3) var<storage, read_write> y: array<i32>; // [count]

fn holds(equal: bool, less: bool, greater: bool) -> bool {
  switch FN {
    case 0u: { return equal; }
    case 1u: { return less; }
    case 2u: { return less || equal; }
    case 3u: { return greater; }
    default: { return greater || equal; }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i >= params.count {
    return;
  }
  let p = a[place(i, params.axes, params.shape, params.a)];
  let q = b[place(i, params.axes, params.shape, params.b)];
  var result: bool;
  if INTEGER {
    let m = bitcast<i32>(p);
    let n = bitcast<i32>(q);
    result = holds(m == n, (m < n), (m > n));
  } else {
    let m = bitcast<f32>(p);
    let n = bitcast<f32>(q);
    result = holds(m == n, (m < n), (m > n));
  }
  y[i] = select(0, 1, result);
}
