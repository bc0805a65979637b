use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{F4, LANES};
use crate::team::Team;

/// w, u: [width]; k, v, y: [tokens, width]; aa, bb, pp and their initial values: [sequences, width], or the pools
/// [pool_rows, width] when there are slots. Threads share the channels.
pub unsafe fn wkv4(
    team: &Team,
    w: *const f32,
    u: *const f32,
    k: *const f32,
    v: *const f32,
    aa0: *const f32,
    bb0: *const f32,
    pp0: *const f32,
    starts: *const i32,
    slots: *const i32,
    y: *mut f32,
    aa: *mut f32,
    bb: *mut f32,
    pp: *mut f32,
    tokens: usize,
    sequences: usize,
    width: usize,
    pool_rows: usize,
) {
    let batch = Sequences { starts, slots, count: sequences, tokens, rows: pool_rows };
    team.share(width, LANES, |first, after| {
        let whole = first + F4::lanes_before(after - first);
        batch.each(|row, begin, end| {
            let (aa, bb, pp) = (aa.add(row * width), bb.add(row * width), pp.add(row * width));
            for (from, to) in [(aa0, aa), (bb0, bb), (pp0, pp)] {
                batch.begin_state(from.add(row * width + first), to.add(first), after - first);
            }
            for t in begin..end {
                let (k, v, y) = (k.add(t * width), v.add(t * width), y.add(t * width));
                let mut c = first;
                while c < whole {
                    let four = |x: *const f32| F4::load(x.add(c));
                    let before = Average { aa: four(aa), bb: four(bb), pp: four(pp) };
                    let (answer, after) = step(before, four(w), four(u), four(k), four(v));
                    answer.store(y.add(c));
                    after.aa.store(aa.add(c));
                    after.bb.store(bb.add(c));
                    after.pp.store(pp.add(c));
                    c += LANES;
                }
                while c < after {
                    let one = |x: *const f32| F4::splat(*x.add(c));
                    let before = Average { aa: one(aa), bb: one(bb), pp: one(pp) };
                    let (answer, after) = step(before, one(w), one(u), one(k), one(v));
                    *y.add(c) = answer.first();
                    *aa.add(c) = after.aa.first();
                    *bb.add(c) = after.bb.first();
                    *pp.add(c) = after.pp.first();
                    c += 1;
                }
            }
        });
    });
}

/// Numerator and denominator, both scaled by e^-pp.
#[derive(Clone, Copy)]
pub struct Average {
    pub aa: F4,
    pub bb: F4,
    pub pp: F4,
}

/// One token of four channels: its answer, and the state after it.
#[inline(always)]
pub fn step(state: Average, w: F4, u: F4, k: F4, v: F4) -> (F4, Average) {
    let Average { aa, bb, pp } = state;
    let q = pp.max(u + k);
    let (past, present) = (exp4(pp - q), exp4(u + k - q));
    let answer = (past * aa + present * v) / (past * bb + present);
    let q = (pp + w).max(k);
    let (keep, add) = (exp4(pp + w - q), exp4(k - q));
    (answer, Average { aa: keep * aa + add * v, bb: keep * bb + add, pp: q })
}
