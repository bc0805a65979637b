use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{F4, LANES, LINE};
use crate::team::Team;

/// w, u: [width]; k, v, y: [tokens, width]; aa, bb, pp and their initial values: [sequences, width], or the pools
/// [pool_rows, width] when there are slots. Threads share the sequences and their channels.
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
    let blocks = width.div_ceil(LINE);
    team.share(sequences * blocks, 1, |first, last| {
        for piece in first..last {
            let Some((row, begin, end)) = batch.get(piece / blocks) else { continue };
            let channel = piece % blocks * LINE;
            let place = row * width + channel;
            let count = LINE.min(width - channel);
            for (from, to) in [(aa0, aa), (bb0, bb), (pp0, pp)] {
                batch.begin_state(from.add(place), to.add(place), count);
            }
            for c in (0..count).step_by(LANES) {
                let some = count - c;
                let four = |x: *const f32, at: usize| F4::load_some(x.add(at + c), some);
                let (w, u) = (four(w, channel), four(u, channel));
                let mut state = Average { aa: four(aa, place), bb: four(bb, place), pp: four(pp, place) };
                for t in begin..end {
                    let at = t * width + channel;
                    let (answer, after) = step(state, w, u, four(k, at), four(v, at));
                    answer.store_some(y.add(at + c), some);
                    state = after;
                }
                state.aa.store_some(aa.add(place + c), some);
                state.bb.store_some(bb.add(place + c), some);
                state.pp.store_some(pp.add(place + c), some);
            }
        }
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
    let (past, present) = shares(pp - (u + k));
    let answer = (past * aa + present * v) / (past * bb + present);
    let decayed = pp + w;
    let (keep, add) = shares(decayed - k);
    (answer, Average { aa: keep * aa + add * v, bb: keep * bb + add, pp: decayed.at_least(k) })
}

/// e^(x − m) and e^(y − m) from x − y, m being the larger of both: one of them is 1.
#[inline(always)]
pub fn shares(difference: F4) -> (F4, F4) {
    let less = exp4(-difference.abs());
    let first = F4::zero().le(difference);
    (first.select(F4::splat(1.0), less), first.select(less, F4::splat(1.0)))
}
