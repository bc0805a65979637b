//! What the types of 16 bits have in common: blocks of eight columns, a row of which is four words of two numbers.

use super::columns::RUN;
use super::{Packing, GROUP};
use crate::simd::{F4, LANES, S8};

/// Columns of a block.
const COLUMNS: usize = 2 * LANES;
/// Bytes of a row of a block, and of its four rows.
const ROW: usize = 16;
const BYTES: usize = GROUP * ROW;

/// `Format::dot`; `widen_row`: columns 0 to 3, and 4 to 7, of a row
#[inline(always)]
pub unsafe fn dot_words<const S: usize>(
    w: [*const u8; S],
    x: *const f32,
    blocks: usize,
    widen_row: impl Fn(*const u8) -> [F4; 2],
) -> [F4; S] {
    let mut sums = [[F4::zero(); GROUP]; S];
    for block in 0..blocks {
        let x = x.add(COLUMNS * block);
        let (x0, x1) = (F4::load(x), F4::load(x.add(LANES)));
        for (w, sums) in w.iter().zip(&mut sums) {
            for (r, sum) in sums.iter_mut().enumerate() {
                let [low, high] = widen_row(w.add(BYTES * block + ROW * r));
                *sum = sum.plus_product(low, x0).plus_product(high, x1);
            }
        }
    }
    sums.map(F4::sums)
}

/// `Format::widen`; `widen_row` gives the numbers at their full value
#[inline(always)]
pub unsafe fn widen_words(
    w: *const u8,
    blocks: usize,
    room: *mut f32,
    widen_row: impl Fn(*const u8) -> [F4; 2],
) -> *const f32 {
    for block in 0..blocks {
        let rows: [[F4; 2]; GROUP] = core::array::from_fn(|r| widen_row(w.add(BYTES * block + ROW * r)));
        let halves = [rows.map(|[low, _]| low), rows.map(|[_, high]| high)];
        for (i, column) in halves.map(F4::transposed).into_iter().flatten().enumerate() {
            column.store(room.add(GROUP * (COLUMNS * block + i)));
        }
    }
    room
}

/// `Columns::lay`; `held`: eight numbers as they are held, or why not
#[inline(always)]
pub unsafe fn lay_words(
    from: &[*const u8; RUN],
    columns: usize,
    to: *mut u8,
    pitch: usize,
    held: impl Fn(S8) -> Result<S8, Packing>,
) -> Packing {
    let mut worst = Packing::Done;
    let mut lay = |column: usize, row: usize, stored: S8| match held(stored) {
        Ok(eight) => eight.interleaved().store((to.add(column * pitch) as *mut i16).add(row)),
        Err(packing) => worst = worst.max(packing),
    };
    let whole = columns / COLUMNS * COLUMNS;
    for column in (0..whole).step_by(COLUMNS) {
        for row in (0..RUN).step_by(COLUMNS) {
            let rows = core::array::from_fn(|r| S8::load((from[row + r] as *const i16).add(column)));
            for (c, eight) in S8::transposed(rows).into_iter().enumerate() {
                lay(column + c, row, eight);
            }
        }
    }
    for (column, row) in (whole..columns).flat_map(|column| (0..RUN).step_by(COLUMNS).map(move |row| (column, row))) {
        let number = |r: usize| (from[row + r] as *const i16).add(column).read_unaligned();
        lay(column, row, S8::load(core::array::from_fn::<i16, COLUMNS, _>(number).as_ptr()));
    }
    worst
}

/// The numbers of a run of a column; `widen_row`: of eight of them.
#[inline(always)]
pub unsafe fn widen_run(run: *const u8, widen_row: impl Fn(*const u8) -> [F4; 2]) -> [F4; RUN / LANES] {
    let eights: [[F4; 2]; RUN / COLUMNS] = core::array::from_fn(|i| widen_row(run.add(ROW * i)));
    core::array::from_fn(|i| eights[i / 2][i % 2])
}
