// pool[slots[s]] = value[s], in the pool's own memory

struct Params { count: u32, width: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> pool: array<f32>; // [rows, width]
@group(0) @binding(2) var<storage, read> slots: array<i32>; // [count / width]; one outside the pool is left out
@group(0) @binding(3) var<storage, read> value: array<f32>; // [count / width, width]

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
  let slot = slots[i / params.width];
  if slot >= 0 && slot < i32(params.rows) {
    pool[u32(slot) * params.width + i % params.width] = value[i];
  }
}
