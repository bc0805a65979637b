// Whether the invocations of a subgroup are neighbours in the workgroup, in their order. A shader of its own.

enable subgroups;

@group(0) @binding(0) var<storage, read_write> fits: array<u32>; // [256]

@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) own: u32,
  @builtin(subgroup_size) size: u32,
) {
  let together = subgroupAdd(1u);
  fits[lane] = select(0u, 1u, lane % size == own && together == size);
}
