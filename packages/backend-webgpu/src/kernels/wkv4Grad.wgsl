// Gradient of wkv4: forward, keeping the state before every token; then back. One invocation a channel of a sequence.

struct Params {
  count: u32, // sequences · width
  width: u32,
  tokens: u32,
  sequences: u32,
  w: u32, // where the parts of packed begin
  u: u32,
  k: u32,
  v: u32,
  aa0: u32,
  bb0: u32,
  pp0: u32,
  starts: u32,
  gy: u32,
  gaa: u32,
  gbb: u32,
  gpp: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>; // all inputs
@group(0) @binding(2) var<storage, read_write> states: array<f32>; // aa, bb, pp before each token [tokens, width]
// gk, gv [tokens, width], gaa0, gbb0, gpp0 and gw, gu of each sequence [count]
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;

fn number(at: u32) -> f32 {
  return bitcast<f32>(packed[at]);
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
  let channel = i % params.width;
  let starts_at = params.starts + i / params.width;
  let range = clamp_range(bitcast<i32>(packed[starts_at]), bitcast<i32>(packed[starts_at + 1u]), params.tokens);
  let stream = params.tokens * params.width;
  let w = number(params.w + channel);
  let u = number(params.u + channel);

  var aa = number(params.aa0 + i);
  var bb = number(params.bb0 + i);
  var pp = number(params.pp0 + i);
  for (var t = range.x; t < range.y; t++) {
    let at = t * params.width + channel;
    states[at] = aa;
    states[stream + at] = bb;
    states[2u * stream + at] = pp;
    let key = number(params.k + at);
    let q = max(pp + w, key);
    let keep = exp_safe(pp + w - q);
    let added = exp_safe(key - q);
    aa = keep * aa + added * number(params.v + at);
    bb = keep * bb + added;
    pp = q;
  }

  var ga = number(params.gaa + i);
  var gb = number(params.gbb + i);
  var gp = number(params.gpp + i);
  var gw = 0.0;
  var gu = 0.0;
  for (var t = range.y; t > range.x; t--) {
    let at = (t - 1u) * params.width + channel;
    let a = states[at];
    let b = states[stream + at];
    let p = states[2u * stream + at];
    let key = number(params.k + at);
    let value = number(params.v + at);

    // The new state: its maximum q moves with its larger argument.
    let decayed = p + w;
    let q = max(decayed, key);
    let keep = exp_safe(decayed - q);
    let added = exp_safe(key - q);
    let gkeep = keep * (ga * a + gb * b);
    let gadded = added * (ga * value + gb);
    let gq = gp - gkeep - gadded;
    let gdecayed = gkeep + select(0.0, gq, decayed >= key);

    // The output, whose maximum cancels.
    let m = max(p, u + key);
    let past = exp_safe(p - m);
    let present = exp_safe(u + key - m);
    let below = past * b + present;
    let gnum = number(params.gy + at) / below;
    let gden = -gnum * (past * a + present * value) / below;
    let gpresent = present * (gnum * value + gden);

    grads[at] = gadded + select(gq, 0.0, decayed >= key) + gpresent;
    grads[stream + at] = added * ga + present * gnum;
    gw += gdecayed;
    gu += gpresent;
    gp = gdecayed + past * (gnum * a + gden * b);
    ga = keep * ga + past * gnum;
    gb = keep * gb + past * gden;
  }
  let rest = 2u * stream + i;
  grads[rest] = ga;
  grads[rest + params.count] = gb;
  grads[rest + 2u * params.count] = gp;
  grads[rest + 3u * params.count] = gw;
  grads[rest + 4u * params.count] = gu;
}
