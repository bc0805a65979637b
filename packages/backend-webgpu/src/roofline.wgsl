// What a GPU reaches at most: reading memory, or multiplying and adding. x has WG · groups · k quartets.

override READS: bool;

struct Params { count: u32, rounds: u32 } // quartets of x; rounds of arithmetic

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [count]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [1]

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let all = groups.x * groups.y * WG;
  let first = global_index(group, groups, lane);
  var sum = vec4f();
  if READS {
    var others = array<vec4f, 3>();
    for (var i = first; i < params.count; i += 4u * all) {
      sum += x[i];
      others[0] += x[min(i + all, params.count - 1u)];
      others[1] += x[min(i + 2u * all, params.count - 1u)];
      others[2] += x[min(i + 3u * all, params.count - 1u)];
    }
    sum += others[0] + others[1] + others[2];
  } else {
    var chains: array<vec4f, 8>;
    for (var i = 0u; i < 8u; i++) {
      chains[i] = vec4f(f32(first + i));
    }
    for (var round = 0u; round < params.rounds; round++) {
      for (var i = 0u; i < 8u; i++) {
        chains[i] = fma(chains[i], vec4f(0.5), vec4f(0.5));
      }
    }
    for (var i = 0u; i < 8u; i++) {
      sum += chains[i];
    }
  }
  // Never so, but no compiler knows.
  if dot(sum, vec4f(1.0)) == -12345.0 {
    y[0] = 1.0;
  }
}
