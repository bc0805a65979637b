//! y = x @ wᵀ for many rows of x.
//!
//! ```text
//! w: panels of 4 rows          x: panels of 6 rows           y
//! ┌ column 0 ┬ column 1 ┬ …    ┌ column 0 ┬ column 1 ┬ …     6 × 8 sums in registers,
//! │ 4 rows   │ 4 rows   │      │ 6 rows   │ 6 rows   │       along a slice of columns
//! ```
//!
//! Both lie column by column, so that a tile of sums reads three streams from their beginnings to their ends and adds
//! up nothing across lanes. x is laid so once, for all threads; of w each thread makes the panels of sixteen rows and one
//! slice of columns, which stay in the nearest cache while all of x passes by.

use crate::simd::{F4, LANES};
use crate::team::Team;
use crate::tiles::{outer_products, transpose, Matrix, TILE_ROWS as ROWS};

/// Rows of a panel of w.
pub const GROUP: usize = LANES;
/// Columns of a slice.
const DEPTH: usize = 256;
/// Panels of w that are made at a time.
const PANELS: usize = 4;

/// Of what is multiplied: x [rows, inner], w [outer, inner], y [rows, outer].
#[derive(Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub inner: usize,
    pub outer: usize,
}

/// The f32 of scratch that a team needs.
pub fn scratch(threads: usize, rows: usize, inner: usize) -> usize {
    threads * PANELS * GROUP * DEPTH + rows * inner
}

/// `panel(group, column, columns, room)`: of rows 4 · group on of w, some columns from a multiple of 256 on, as f32
/// [columns, 4]; made in `room` [columns rounded up to 32, 4], or where they lie already. Rows that w does not have may be anything.
///
/// One for all types of weights: a panel is much work for a call.
#[inline(never)]
pub unsafe fn gemm(
    team: &Team,
    x: *const f32,
    y: *mut f32,
    sizes: Sizes,
    scratch: *mut f32,
    panel: &dyn Fn(usize, usize, usize, *mut f32) -> *const f32,
) {
    let own = PANELS * GROUP * DEPTH;
    let (room, laid) = (scratch.add(team.id * own), scratch.add(team.size * own));
    team.share(sizes.rows.div_ceil(ROWS), 1, |begin, end| {
        for block in begin..end {
            lay(x, laid, sizes, block);
        }
    });
    team.barrier();
    team.share(sizes.outer.div_ceil(GROUP), PANELS, |begin, end| {
        for first in (begin..end).step_by(PANELS) {
            let count = PANELS.min(end - first);
            // With no columns at all, sums are 0.
            for column in (0..sizes.inner.max(1)).step_by(DEPTH) {
                let columns = DEPTH.min(sizes.inner - column);
                let mut panels = [core::ptr::null(); PANELS];
                for (i, at) in panels.iter_mut().enumerate() {
                    // One too many has its neighbour’s numbers.
                    let i = i.min(count - 1);
                    *at = panel(first + i, column, columns, room.add(i * GROUP * DEPTH));
                }
                slice(panels, count, laid, y.add(first * GROUP), sizes, first * GROUP, column);
            }
        }
    });
}

/// Lays a block of rows of x: [slices, blocks, columns of the slice, rows of the block]
unsafe fn lay(x: *const f32, laid: *mut f32, sizes: Sizes, block: usize) {
    let first = block * ROWS;
    let rows = ROWS.min(sizes.rows - first);
    for column in (0..sizes.inner).step_by(DEPTH) {
        let columns = DEPTH.min(sizes.inner - column);
        let from = Matrix::new(x.add(first * sizes.inner + column), sizes.inner);
        let to = Matrix::new(laid.add(column * sizes.rows + first * columns), rows);
        transpose(from, to, rows, columns);
    }
}

/// The panels by all rows of x along one slice. y: from the first row of w on, which is row `row` of `sizes.outer`
unsafe fn slice(
    panels: [*const f32; PANELS],
    count: usize,
    laid: *const f32,
    y: *mut f32,
    sizes: Sizes,
    row: usize,
    column: usize,
) {
    let columns = DEPTH.min(sizes.inner - column);
    let mut x = laid.add(column * sizes.rows);
    let more = column > 0;
    for first in (0..sizes.rows).step_by(ROWS) {
        let rows = ROWS.min(sizes.rows - first);
        for i in (0..count).step_by(2) {
            let (pair, at) = ([panels[i], panels[i + 1]], i * GROUP);
            let target =
                Target { at: y.add(first * sizes.outer + at), pitch: sizes.outer, room: sizes.outer - row - at };
            match rows {
                1 => tile::<1>(pair, x, columns, target, more),
                2 => tile::<2>(pair, x, columns, target, more),
                3 => tile::<3>(pair, x, columns, target, more),
                4 => tile::<4>(pair, x, columns, target, more),
                5 => tile::<5>(pair, x, columns, target, more),
                _ => tile::<ROWS>(pair, x, columns, target, more),
            }
        }
        x = x.add(rows * columns);
    }
}

/// Rows of y, `pitch` apart, with room for so many numbers each.
struct Target {
    at: *mut f32,
    pitch: usize,
    room: usize,
}

/// N rows of x by the eight rows of two panels. `more`: the sums are added to what is there
#[inline(never)]
unsafe fn tile<const N: usize>(panels: [*const f32; 2], x: *const f32, columns: usize, y: Target, more: bool) {
    let sums = outer_products::<N>(Matrix::new(x, N), panels, GROUP, columns);
    for (n, sums) in sums.into_iter().enumerate() {
        for (i, sum) in sums.into_iter().enumerate() {
            add(y.at.add(n * y.pitch + GROUP * i), sum, y.room.saturating_sub(GROUP * i), more);
        }
    }
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
pub unsafe fn store(y: *mut f32, four: F4, room: usize) {
    if room >= GROUP {
        four.store(y);
    } else {
        for (i, number) in four.lanes().into_iter().take(room).enumerate() {
            *y.add(i) = number;
        }
    }
}
