use super::{room, Format, Prepared, GROUP, STREAMS};
use crate::simd::{F4, LANES};
use crate::team::Team;

/// Columns that are widened at a time: with those of sixteen rows they stay in the nearest cache.
const DEPTH: usize = 256;
/// Groups of rows that share a pass over x.
const GROUPS: usize = 4;
/// The most of `Format::FEW`.
const MOST_FEW: usize = 4;

/// The f32 of scratch that a thread needs for rows of `inner` numbers.
pub const fn scratch(inner: usize) -> usize {
    let few = MOST_FEW * room(inner);
    let many = GROUPS * GROUP * DEPTH;
    if few > many {
        few
    } else {
        many
    }
}

/// y = x @ wᵀ. x: [rows, inner]; w: packed, [outer, inner]; y: [rows, outer]; scratch: [threads, `scratch(inner)`]
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
    let room = room.add(team.id * scratch(inner));
    if rows <= F::FEW {
        few::<F>(team, x, w, y, room, rows, inner, outer);
    } else {
        team.share(outer.div_ceil(GROUP), GROUPS, |begin, end| {
            for first in (begin..end).step_by(GROUPS) {
                let groups = first..end.min(first + GROUPS);
                many::<F>(groups, x, w, y, room, rows, inner, outer);
            }
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

/// A few groups by all rows of x, `DEPTH` columns at a time.
#[inline(never)]
unsafe fn many<F: Format>(
    groups: core::ops::Range<usize>,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    let blocks = inner.div_ceil(F::BLOCK);
    for column in (0..inner.max(1)).step_by(DEPTH) {
        let columns = DEPTH.min(inner - column);
        let first = column / F::BLOCK;
        let mut panels = [core::ptr::null(); GROUPS];
        for (i, group) in groups.clone().enumerate() {
            let w = w.add((group * blocks + first) * F::BYTES);
            panels[i] = F::widen(w, columns.div_ceil(F::BLOCK), scratch.add(i * GROUP * DEPTH));
        }
        let mut n = 0;
        while n < rows {
            let x = x.add(n * inner + column);
            for (group, panel) in groups.clone().zip(panels) {
                let at = group * GROUP;
                let y = y.add(n * outer + at);
                if n + 2 <= rows {
                    let sums = tile::<2>(panel, x, inner, columns);
                    add(y, sums[0], outer - at, column > 0);
                    add(y.add(outer), sums[1], outer - at, column > 0);
                } else {
                    let [sums] = tile::<1>(panel, x, inner, columns);
                    add(y, sums, outer - at, column > 0);
                }
            }
            n += 2;
        }
    }
}

/// N rows of x by the four rows of a panel. panel: [columns / 4, GROUP, 4]; x: rows `pitch` apart
#[inline(always)]
unsafe fn tile<const N: usize>(panel: *const f32, x: *const f32, pitch: usize, columns: usize) -> [F4; N] {
    let mut sums = [[F4::zero(); GROUP]; N];
    let whole = F4::lanes_before(columns);
    let mut i = 0;
    while i < whole {
        let x4: [F4; N] = core::array::from_fn(|n| F4::load(x.add(n * pitch + i)));
        let w4: [F4; GROUP] = core::array::from_fn(|r| F4::load(panel.add(GROUP * i + LANES * r)));
        for (sums, x) in sums.iter_mut().zip(x4) {
            for (sum, w) in sums.iter_mut().zip(w4) {
                *sum = sum.plus_product(w, x);
            }
        }
        i += LANES;
    }
    core::array::from_fn(|n| {
        let mut tail = [0.0; GROUP];
        for (r, sum) in tail.iter_mut().enumerate() {
            for i in whole..columns {
                *sum += *panel.add(GROUP * whole + LANES * r + (i - whole)) * *x.add(n * pitch + i);
            }
        }
        F4::sums(sums[n]) + F4::load(tail.as_ptr())
    })
}

#[inline(always)]
unsafe fn add(y: *mut f32, sums: F4, room: usize, more: bool) {
    if !more {
        store(y, sums, room);
    } else if room >= GROUP {
        (F4::load(y) + sums).store(y);
    } else {
        for (i, sum) in sums.lanes().into_iter().take(room).enumerate() {
            *y.add(i) += sum;
        }
    }
}

/// Four numbers, or as many as there is room for.
#[inline(always)]
unsafe fn store(y: *mut f32, four: F4, room: usize) {
    if room >= GROUP {
        four.store(y);
    } else {
        for (i, number) in four.lanes().into_iter().take(room).enumerate() {
            *y.add(i) = number;
        }
    }
}
