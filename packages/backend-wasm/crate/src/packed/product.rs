use super::{room, Format, Prepared, GROUP, MOST_FEW, STREAMS};
use crate::gemm::{self, gemm, store, Sizes};
use crate::simd::F4;
use crate::team::Team;

/// The f32 of scratch that a team needs for `rows` of `inner` numbers.
pub fn scratch(threads: usize, rows: usize, inner: usize) -> usize {
    (threads * MOST_FEW * room(inner)).max(gemm::scratch(threads, rows, inner))
}

/// y = x @ wᵀ. x: [rows, inner]; w: packed, [outer, inner]; y: [rows, outer]; room: [`scratch`]
pub unsafe fn product<F: Format>(
    team: &Team,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    room: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    if rows <= F::FEW {
        few::<F>(team, x, w, y, room.add(team.id * MOST_FEW * super::room(inner)), rows, inner, outer);
    } else {
        let blocks = inner.div_ceil(F::BLOCK);
        let sizes = Sizes { rows, inner, outer };
        gemm(team, x, y, sizes, room, &|group, column, columns, room| {
            F::widen(w.add((group * blocks + column / F::BLOCK) * F::BYTES), columns.div_ceil(F::BLOCK), room)
        });
    }
}

/// Memory is read once; each group of rows meets every row of x while it is near.
#[inline(never)]
unsafe fn few<F: Format>(
    team: &Team,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    let blocks = inner.div_ceil(F::BLOCK);
    let prepared: [Option<Prepared>; MOST_FEW] =
        core::array::from_fn(|n| (n < rows).then(|| F::prepare(x.add(n * inner), inner, scratch.add(n * room(inner)))));
    let some = |first: usize, x: &Prepared, y: *mut f32, count: usize| {
        let at = |i: usize| w.add((first + i) * blocks * F::BYTES);
        let put = |i: usize, sums: F4| {
            let row = (first + i) * GROUP;
            store(y.add(row), sums * F4::splat(x.scale), outer - row);
        };
        if count == STREAMS {
            let sums = F::dot::<STREAMS>(core::array::from_fn(at), x, blocks);
            sums.into_iter().enumerate().for_each(|(i, sums)| put(i, sums));
        } else {
            (0..count).for_each(|i| put(i, F::dot([at(i)], x, blocks)[0]));
        }
    };
    team.share(outer.div_ceil(GROUP), STREAMS, |begin, end| {
        for first in (begin..end).step_by(STREAMS) {
            for (n, x) in prepared.iter().flatten().enumerate() {
                some(first, x, y.add(n * outer), STREAMS.min(end - first));
            }
        }
    });
}
