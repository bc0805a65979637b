// As _project.wgsl for many rows of x: a workgroup makes TILE rows of a weight times TILE tokens, STEP columns at a time
// from shared memory; an invocation makes 4 times 4 of them.

override TILE: u32; // 32 or 64
override STEP: u32 = TILE / 2u;
override ACROSS: u32 = TILE / 4u;

var<workgroup> x_tile: array<vec4f, TILE * TILE / 8u>; // [STEP, tokens / 4]
var<workgroup> w_tile: array<vec4f, TILE * TILE / 8u>; // [STEP, rows / 4]

/// Columns `column` to `column + 3` of row `row` of a weight; 0 beyond its end.
fn four_weights(job: Job, row: u32, column: u32) -> vec4f {
  if column >= job.columns {
    return vec4f();
  }
  let own = min(row, job.rows - 1u);
  let chunk = chunks[job.at + own * chunks_of(job.columns) + column / PER_CHUNK];
  let scale = scale_of(job.at, job.rows, job.columns, (own * job.columns + column) / 32u);
  return quartet(chunk, (column % PER_CHUNK) / 4u) * scale;
}

fn four_inputs(job: Job, token: u32, column: u32) -> vec4f {
  if column >= job.columns {
    return vec4f();
  }
  return x[(job.x_at + min(token, params.tokens - 1u) * job.columns + column) / 4u];
}

@compute @workgroup_size(TILE * TILE / 16u)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  let token_tiles = (params.tokens + TILE - 1u) / TILE;
  var rest = index / token_tiles;
  var number = 0u;
  for (; number + 1u < params.jobs; number++) {
    let own = (params.job[number].rows + TILE - 1u) / TILE;
    if rest < own {
      break;
    }
    rest -= own;
  }
  let job = params.job[number];
  let first_row = rest * TILE;
  let first_token = (index % token_tiles) * TILE;

  // Half of the invocations bring x, the others the weight; each four columns of four rows, turned.
  let half = TILE * TILE / 32u;
  let brought = lane % half;
  let from_row = (brought / (STEP / 4u)) * 4u;
  let from_column = (brought % (STEP / 4u)) * 4u;
  let to = from_column * ACROSS + from_row / 4u;
  let across = lane % ACROSS; // four rows of the weight
  let down = lane / ACROSS; // four tokens
  var first = vec4f();
  var second = vec4f();
  var third = vec4f();
  var fourth = vec4f();
  for (var begin = 0u; begin < job.columns; begin += STEP) {
    let column = begin + from_column;
    workgroupBarrier();
    if lane < half {
      let row = first_token + from_row;
      let turned = transpose(mat4x4f(
        four_inputs(job, row, column),
        four_inputs(job, row + 1u, column),
        four_inputs(job, row + 2u, column),
        four_inputs(job, row + 3u, column),
      ));
      x_tile[to] = turned[0];
      x_tile[to + ACROSS] = turned[1];
      x_tile[to + 2u * ACROSS] = turned[2];
      x_tile[to + 3u * ACROSS] = turned[3];
    } else {
      let row = first_row + from_row;
      let turned = transpose(mat4x4f(
        four_weights(job, row, column),
        four_weights(job, row + 1u, column),
        four_weights(job, row + 2u, column),
        four_weights(job, row + 3u, column),
      ));
      w_tile[to] = turned[0];
      w_tile[to + ACROSS] = turned[1];
      w_tile[to + 2u * ACROSS] = turned[2];
      w_tile[to + 3u * ACROSS] = turned[3];
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let tokens = x_tile[k * ACROSS + down];
      let weights = w_tile[k * ACROSS + across];
      first += tokens.x * weights;
      second += tokens.y * weights;
      third += tokens.z * weights;
      fourth += tokens.w * weights;
    }
  }
  for (var i = 0u; i < 16u; i++) {
    let token = first_token + down * 4u + i / 4u;
    let row = first_row + across * 4u + i % 4u;
    let sums = select(select(first, second, i >= 4u), select(third, fourth, i >= 12u), i >= 8u);
    if token < params.tokens && row < job.rows {
      finish(job, row, token, sums[i % 4u]);
    }
  }
}
