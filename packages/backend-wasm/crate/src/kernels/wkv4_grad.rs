use crate::math::exp;
use crate::sequences::Sequences;
use crate::simd::LANES;
use crate::team::Team;
use core::ptr::{null, write_bytes};

/// w, u, gw, gu: [width]; k, v, gy, gk, gv: [tokens, width]; aa0, bb0, pp0, gaa, gbb, gpp, gaa0, gbb0, gpp0:
/// [sequences, width]; scratch: [threads, tokens, 6]. Threads share the channels.
///
/// In f64: keys of 1e3 leave f32 no digits for the differences of exponents.
pub unsafe fn wkv4_grad(
    team: &Team,
    w: *const f32,
    u: *const f32,
    k: *const f32,
    v: *const f32,
    aa0: *const f32,
    bb0: *const f32,
    pp0: *const f32,
    starts: *const i32,
    gy: *const f32,
    gaa: *const f32,
    gbb: *const f32,
    gpp: *const f32,
    gw: *mut f32,
    gu: *mut f32,
    gk: *mut f32,
    gv: *mut f32,
    gaa0: *mut f32,
    gbb0: *mut f32,
    gpp0: *mut f32,
    scratch: *mut f32,
    tokens: usize,
    sequences: usize,
    width: usize,
) {
    let states = (scratch as *mut [f64; 3]).add(team.id * tokens);
    let batch = Sequences { starts, slots: null(), count: sequences, tokens, rows: sequences };
    team.share(width, LANES, |first, after| {
        write_bytes(gw.add(first), 0, after - first);
        write_bytes(gu.add(first), 0, after - first);
        batch.each(|row, begin, end| {
            for c in first..after {
                let place = row * width + c;
                let at = |x: *const f32, i: usize| f64::from(*x.add(i));
                let (w, u) = (at(w, c), at(u, c));
                // The state before each token, to go back over.
                let [mut a, mut b, mut p] = [at(aa0, place), at(bb0, place), at(pp0, place)];
                for t in begin..end {
                    states.add(t - begin).write_unaligned([a, b, p]);
                    let (k, v) = (at(k, t * width + c), at(v, t * width + c));
                    let q = larger(p + w, k);
                    let (keep, add) = (power(p + w - q), power(k - q));
                    (a, b, p) = (keep * a + add * v, keep * b + add, q);
                }
                let [mut ga, mut gb, mut gp] = [at(gaa, place), at(gbb, place), at(gpp, place)];
                let [mut of_w, mut of_u] = [0.0, 0.0];
                for t in (begin..end).rev() {
                    let i = t * width + c;
                    let (k, v) = (at(k, i), at(v, i));
                    let [a, b, p] = states.add(t - begin).read_unaligned();

                    // Through the update: the larger of p + w and k carries the gradient of the maximum.
                    let decays = p + w >= k;
                    let q = larger(p + w, k);
                    let (keep, add) = (power(p + w - q), power(k - q));
                    let (of_keep, of_add) = (keep * (ga * a + gb * b), add * (ga * v + gb));
                    let of_q = gp - of_keep - of_add;
                    let of_decayed = of_keep + if decays { of_q } else { 0.0 };
                    let of_k = of_add + if decays { 0.0 } else { of_q };

                    // Through the answer (past·a + present·v) / (past·b + present), whose own maximum cancels.
                    let q = larger(p, u + k);
                    let (past, present) = (power(p - q), power(u + k - q));
                    let below = past * b + present;
                    let of_above = at(gy, i) / below;
                    let of_below = -of_above * ((past * a + present * v) / below);
                    let of_present = present * (of_above * v + of_below);

                    of_w += of_decayed;
                    of_u += of_present;
                    *gk.add(i) = (of_k + of_present) as f32;
                    *gv.add(i) = (add * ga + present * of_above) as f32;
                    gp = of_decayed + past * (of_above * a + of_below * b);
                    ga = keep * ga + past * of_above;
                    gb = keep * gb + past * of_below;
                }
                *gw.add(c) += of_w as f32;
                *gu.add(c) += of_u as f32;
                (*gaa0.add(place), *gbb0.add(place), *gpp0.add(place)) = (ga as f32, gb as f32, gp as f32);
            }
        });
    });
}

fn larger(a: f64, b: f64) -> f64 {
    if a >= b {
        a
    } else {
        b
    }
}

/// e^x, x ≤ 0, of f32's accuracy: what matters is that x is a difference taken in f64.
fn power(x: f64) -> f64 {
    f64::from(exp(x as f32))
}
