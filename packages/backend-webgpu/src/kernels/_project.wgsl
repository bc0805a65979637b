// y = fn(x @ wᵀ + bias) for up to seven weights of one format, for few rows of x. LANES invocations share ROWS rows of a
// weight; workgroups go through the jobs, of each through the rows of the weight, of each through the tokens.

override ROWS: u32; // 1 to 4

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  let token = index % params.tokens;
  let together = (WG / LANES) * ROWS; // rows of a workgroup
  var rest = index / params.tokens;
  var number = 0u;
  for (; number + 1u < params.jobs; number++) {
    let own = (params.job[number].rows + together - 1u) / together;
    if rest < own {
      break;
    }
    rest -= own;
  }
  let job = params.job[number];
  let first = rest * together + (lane / LANES) * ROWS;
  let last = job.rows - 1u;
  let length = chunks_of(job.columns);
  let quartets = job.columns / 4u;
  let x_row = job.x_at / 4u + token * quartets;

  var sums = vec4f();
  for (var c = lane % LANES; c < length; c += LANES) {
    // The last chunk of a row may reach over its end: there the weights are 0.
    var rows: array<vec4f, 8>;
    for (var j = 0u; j < PER_CHUNK / 4u; j++) {
      rows[j] = x[x_row + min(c * (PER_CHUNK / 4u) + j, quartets - 1u)];
    }
    for (var r = 0u; r < ROWS; r++) {
      let row = min(first + r, last);
      let chunk = chunks[job.at + row * length + c];
      var sum = 0.0;
      for (var j = 0u; j < PER_CHUNK / 4u; j++) {
        sum += dot(quartet(chunk, j), rows[j]);
      }
      sums[r] += sum * scale_of(job.at, job.rows, job.columns, (row * length + c) * PER_CHUNK / 32u);
    }
  }
  sums = lanes_sum(lane, sums);
  if lane % LANES != 0u {
    return;
  }
  for (var r = 0u; r < ROWS; r++) {
    if first + r < job.rows {
      finish(job, first + r, token, sums[r]);
    }
  }
}
