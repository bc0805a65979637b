use crate::kernels::wkv4::shares;
use crate::sequences::Sequences;
use crate::simd::{D4, F4, LANES, LINE};
use crate::team::Team;
use core::ptr::null;

/// Words that are kept of a token for four channels: see `Step`.
pub const KEPT: usize = 6 * LANES;

/// w, u, gw, gu: [width]; k, v, gy, gk, gv: [tokens, width]; aa0, bb0, pp0, gaa, gbb, gpp, gaa0, gbb0, gpp0:
/// [sequences, width]; scratch: [threads, tokens, KEPT]. Threads share the channels.
///
/// Exponents are differences of f64: keys of 1e3 leave f32 no digits for them.
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
    let kept = scratch.add(team.id * tokens * KEPT);
    let batch = Sequences { starts, slots: null(), count: sequences, tokens, rows: sequences };
    team.share(width, LINE, |first, after| {
        for c in (first..after).step_by(LANES) {
            let some = after - c;
            let four = |x: *const f32, at: usize| F4::load_some(x.add(at + c), some);
            let give = |x: F4, to: *mut f32, at: usize| x.store_some(to.add(at + c), some);
            let (w, u) = (D4::widen(four(w, 0)), D4::widen(four(u, 0)));
            let [mut of_w, mut of_u] = [F4::zero(); 2];
            batch.each(|row, begin, end| {
                let place = row * width;
                let mut state = Step::first(four(aa0, place), four(bb0, place), four(pp0, place));
                for t in begin..end {
                    let (k, v) = (four(k, t * width), four(v, t * width));
                    state = state.next(w, D4::widen(k), v, kept.add((t - begin) * KEPT));
                }
                let [mut ga, mut gb, mut gp] = [four(gaa, place), four(gbb, place), four(gpp, place)];
                for t in (begin..end).rev() {
                    let (k, v, gy) = (D4::widen(four(k, t * width)), four(v, t * width), four(gy, t * width));
                    let Step { a, b, p, keep, add } = Step::load(kept.add((t - begin) * KEPT));

                    // Through the update: the larger of p + w and k carries the gradient of the maximum, and is kept whole.
                    let decays = add.le(keep);
                    let (of_keep, of_add) = (keep * (ga * a + gb * b), add * (ga * v + gb));
                    let of_q = gp - of_keep - of_add;
                    let of_decayed = of_keep + decays.select(of_q, F4::zero());
                    let of_k = of_add + decays.select(F4::zero(), of_q);

                    // Through the answer (past·a + present·v) / (past·b + present), whose own maximum cancels.
                    let (past, present) = shares((p - (u + k)).narrow());
                    let below = past * b + present;
                    let of_above = gy / below;
                    let of_below = -of_above * ((past * a + present * v) / below);
                    let of_present = present * (of_above * v + of_below);

                    of_w = of_w + of_decayed;
                    of_u = of_u + of_present;
                    give(of_k + of_present, gk, t * width);
                    give(add * ga + present * of_above, gv, t * width);
                    gp = of_decayed + past * (of_above * a + of_below * b);
                    ga = keep * ga + past * of_above;
                    gb = keep * gb + past * of_below;
                }
                for (x, to) in [(ga, gaa0), (gb, gbb0), (gp, gpp0)] {
                    give(x, to, place);
                }
            });
            give(of_w, gw, 0);
            give(of_u, gu, 0);
        }
    });
}

/// The state before a token, and what the token makes of it: keep · state + add · (v, 1).
struct Step {
    a: F4,
    b: F4,
    p: D4,
    keep: F4,
    add: F4,
}

impl Step {
    fn first(a: F4, b: F4, p: F4) -> Step {
        Step { a, b, p: D4::widen(p), keep: F4::zero(), add: F4::zero() }
    }

    /// Keeps this step for going back, and gives the state after the token.
    #[inline(always)]
    unsafe fn next(self, w: D4, k: D4, v: F4, kept: *mut f32) -> Step {
        let Step { a, b, p, .. } = self;
        let decayed = p + w;
        let (keep, add) = shares((decayed - k).narrow());
        for (i, x) in [a, b, keep, add].into_iter().enumerate() {
            x.store(kept.add(i * LANES));
        }
        p.store(kept.add(4 * LANES));
        Step { a: keep * a + add * v, b: keep * b + add, p: decayed.at_least(k), keep, add }
    }

    #[inline(always)]
    unsafe fn load(kept: *const f32) -> Step {
        let [a, b, keep, add] = core::array::from_fn(|i| F4::load(kept.add(i * LANES)));
        Step { a, b, p: D4::load(kept.add(4 * LANES)), keep, add }
    }
}
