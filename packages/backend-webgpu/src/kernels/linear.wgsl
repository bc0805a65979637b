// y = x @ wᵀ, or x @ w when TRANSPOSED, for weights of any format and size; one invocation an element of y

override TRANSPOSED: bool;
override ADDS: bool; // to what the parts of w before this one have made

struct Params {
  count: u32, // elements of y that this part makes
  inner: u32, // columns of x
  outer: u32, // columns of y
  at: u32, // chunk where the part of w begins
  rows: u32, // of the part
  columns: u32, // of w
  first: u32, // the part's first row in w
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> x: array<f32>; // [N, inner]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [N, outer]

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
  var sum = 0.0;
  if TRANSPOSED {
    let column = i % params.outer;
    let row = (i / params.outer) * params.inner + params.first;
    for (var k = 0u; k < params.rows; k++) {
      sum += x[row + k] * weight_at(params.at, params.rows, params.columns, k, column);
    }
    if ADDS {
      sum += y[i];
    }
    y[i] = sum;
  } else {
    let column = i % params.rows;
    let token = i / params.rows;
    for (var k = 0u; k < params.inner; k++) {
      sum += x[token * params.inner + k] * weight_at(params.at, params.rows, params.columns, column, k);
    }
    y[token * params.outer + params.first + column] = sum;
  }
}
