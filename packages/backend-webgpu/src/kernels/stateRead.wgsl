// y[s] = pool[slots[s]]

struct Params { count: u32, width: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pool: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> slots: array<i32>; // [count / width], kept inside the pool
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [count / width, width]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = global_index(group, groups, lane);
  if i < params.count {
    let row = u32(clamp(slots[i / params.width], 0, i32(params.rows) - 1));
    y[i] = pool[row * params.width + i % params.width];
  }
}
