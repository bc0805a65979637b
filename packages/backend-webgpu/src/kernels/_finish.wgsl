// Put before shaders that multiply rows with weights: the jobs of a dispatch, and what is done with a sum.

/// Rows of x times the rows of one weight, or of a part of it.
struct Job {
  at: u32, // chunk where the weight begins
  rows: u32,
  columns: u32,
  finish: u32, // function in the low byte; ADD, GATE, BIAS
  x_at: u32, // element where its rows of x begin; they lie one after the other
  y_at: u32, // element for the first row of the weight and the first token
  y_stride: u32,
  bias_at: u32, // element of vectors for the first row of the weight
}

struct Params { tokens: u32, jobs: u32, gate_at: u32, residual_at: u32, job: array<Job, 7> }

const BIAS = 0x100u;
const ADD = 0x200u; // to the residual
const GATE = 0x400u; // times what lies in x at gate_at

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> x: array<vec4f>; // rows of every job
@group(0) @binding(4) var<storage, read> vectors: array<f32>; // biases
@group(0) @binding(5) var<storage, read> residual: array<f32>; // as y, from residual_at on
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // rows of every job

/// −e^{−1/2}: the smallest log decay of RWKV-7.
const LOWEST_DECAY = -0.6065306597126334;

fn apply(function: u32, v: f32) -> f32 {
  switch function {
    case 1u: { return tanh_safe(v); }
    case 2u: { return sigmoid(v); }
    case 3u: {
      let positive = max(v, 0.0);
      return positive * positive;
    }
    case 4u: { return v * sigmoid(v); }
    case 5u: { return LOWEST_DECAY * sigmoid(v); }
    case 6u: { return -exp_safe(v); }
    default: { return v; }
  }
}

/// Writes what becomes of the sum for one row of the weight and one token.
fn finish(job: Job, row: u32, token: u32, sum: f32) {
  var v = sum;
  if (job.finish & BIAS) != 0u {
    v += vectors[job.bias_at + row];
  }
  v = apply(job.finish & 0xffu, v);
  let at = job.y_at + token * job.y_stride + row;
  if (job.finish & GATE) != 0u {
    let gate = params.gate_at + at;
    v *= x[gate / 4u][gate % 4u];
  }
  if (job.finish & ADD) != 0u {
    v += residual[params.residual_at + at];
  }
  y[at] = v;
}
