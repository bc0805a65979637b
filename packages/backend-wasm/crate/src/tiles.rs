//! Products of blocks of matrices that lie in the caches: what `gemm` and the chunked kernels of the memories are made of.

use crate::simd::{F4, LANES};
use core::mem::MaybeUninit;

/// Columns of a tile, and its most rows: twelve sums, which the sixteen registers of x86 hold beside their factors.
pub const TILE_COLUMNS: usize = 2 * LANES;
pub const TILE_ROWS: usize = 6;

/// How the left factor of a product lies: number (row, k) of it.
#[derive(Clone, Copy, PartialEq)]
pub enum Left {
    /// At `row · pitch + k`.
    Rows,
    /// At `k · pitch + row`.
    Columns,
}

/// One matrix: where it begins, and how far apart its rows are.
#[derive(Clone, Copy)]
pub struct Matrix<P> {
    pub at: P,
    pub pitch: usize,
}

impl<P> Matrix<P> {
    pub fn new(at: P, pitch: usize) -> Matrix<P> {
        Matrix { at, pitch }
    }
}

/// How many products of a sum are taken at a time where the left factor lies row by row.
const DEPTH: usize = 64;

/// y = a @ b, or y += a @ b when `adds`. a: [rows, depth] as `left` says; b: [depth, columns]; y: [rows, columns].
/// Rows are a multiple of 4, columns of TILE_COLUMNS.
#[inline(never)]
pub unsafe fn product(
    left: Left,
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    rows: usize,
    depth: usize,
    columns: usize,
    adds: bool,
) {
    each_strip(rows, |row, high| {
        let y = Matrix::new(y.at.add(row * y.pitch), y.pitch);
        if left == Left::Columns {
            return strip(Matrix::new(a.at.add(row), a.pitch), b, y, high, depth, columns, adds);
        }
        let mut laid = [MaybeUninit::<f32>::uninit(); TILE_ROWS * DEPTH];
        let laid = laid.as_mut_ptr() as *mut f32;
        for from in (0..depth).step_by(DEPTH) {
            let some = DEPTH.min(depth - from);
            let a = Matrix::new(a.at.add(row * a.pitch + from), a.pitch);
            transpose(a, Matrix::new(laid, high), high, some);
            let b = Matrix::new(b.at.add(from * b.pitch), b.pitch);
            strip(Matrix::new(laid, high), b, y, high, some, columns, adds || from > 0);
        }
    });
}

/// Calls `f(first row, rows)` for strips of six, five or four rows.
#[inline(always)]
unsafe fn each_strip(rows: usize, mut f: impl FnMut(usize, usize)) {
    let strips = rows.div_ceil(TILE_ROWS);
    let (least, higher) = (rows / strips.max(1), rows % strips.max(1));
    let mut row = 0;
    for i in 0..strips {
        let high = least + usize::from(i < higher);
        f(row, high);
        row += high;
    }
}

/// A strip of rows, whose numbers lie side by side, by all columns.
#[inline(always)]
unsafe fn strip(
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    rows: usize,
    depth: usize,
    columns: usize,
    adds: bool,
) {
    for column in (0..columns).step_by(TILE_COLUMNS) {
        let b = Matrix::new(b.at.add(column), b.pitch);
        tile(a, b, Matrix::new(y.at.add(column), y.pitch), rows, depth, adds);
    }
}

/// Four to six rows by eight columns. a: [depth, rows], the columns of the left factor; b: [depth, 8]; y: [rows, 8]; `adds`: to what
/// is there
#[inline(always)]
pub unsafe fn tile(
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    rows: usize,
    depth: usize,
    adds: bool,
) {
    match rows {
        4 => tile_of::<4>(a, b, y, depth, adds),
        5 => tile_of::<5>(a, b, y, depth, adds),
        _ => tile_of::<TILE_ROWS>(a, b, y, depth, adds),
    }
}

#[inline(never)]
unsafe fn tile_of<const N: usize>(
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    depth: usize,
    adds: bool,
) {
    put(outer_products::<N>(a, [b.at, b.at.add(LANES)], b.pitch, depth), y, adds);
}

/// Writes the sums of a tile, or adds them to what is there.
#[inline(always)]
pub unsafe fn put<const N: usize>(sums: [[F4; 2]; N], y: Matrix<*mut f32>, adds: bool) {
    for (i, row) in sums.into_iter().enumerate() {
        let y = y.at.add(i * y.pitch);
        for (half, sum) in row.into_iter().enumerate() {
            let y = y.add(half * LANES);
            (if adds { F4::load(y) + sum } else { sum }).store(y);
        }
    }
}

/// The sums of N rows by two vectors of columns along `depth`. a: [depth, N]; b: where each vector begins, and `step` on
/// from one k to the next
#[inline(always)]
pub unsafe fn outer_products<const N: usize>(
    a: Matrix<*const f32>,
    b: [*const f32; 2],
    step: usize,
    depth: usize,
) -> [[F4; 2]; N] {
    let mut sums = [[F4::zero(); 2]; N];
    let (mut row, [mut left, mut right]) = (a.at, b);
    let end = left.add(step * depth);
    while left != end {
        let b = [F4::load(left), F4::load(right)];
        for (n, sums) in sums.iter_mut().enumerate() {
            let a = F4::load_splat(row.add(n));
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = sum.plus_product(a, b);
            }
        }
        (left, right, row) = (left.add(step), right.add(step), row.add(a.pitch));
    }
    sums
}

/// y = xᵀ. x: [rows, columns]; y: [columns, rows]
#[inline(never)]
pub unsafe fn transpose(x: Matrix<*const f32>, y: Matrix<*mut f32>, rows: usize, columns: usize) {
    let whole = F4::lanes_before(columns);
    let mut row = 0;
    while row + LANES <= rows {
        let [a, b, c, d] = core::array::from_fn(|i| x.at.add((row + i) * x.pitch));
        for column in (0..whole).step_by(LANES) {
            let block = F4::transposed([a, b, c, d].map(|row| F4::load(row.add(column))));
            for (i, line) in block.into_iter().enumerate() {
                line.store(y.at.add((column + i) * y.pitch + row));
            }
        }
        columns_one_by_one(x, y, row, row + LANES, whole, columns);
        row += LANES;
    }
    if row + 2 <= rows {
        let [a, b] = core::array::from_fn(|i| x.at.add((row + i) * x.pitch));
        for column in (0..whole).step_by(LANES) {
            let [low, high] = F4::load(a.add(column)).in_turns(F4::load(b.add(column)));
            let to: [_; LANES] = core::array::from_fn(|i| y.at.add((column + i) * y.pitch + row));
            low.store_halves(to[0], to[1]);
            high.store_halves(to[2], to[3]);
        }
        columns_one_by_one(x, y, row, row + 2, whole, columns);
        row += 2;
    }
    columns_one_by_one(x, y, row, rows, 0, columns);
}

#[inline(never)]
unsafe fn columns_one_by_one(
    x: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    row: usize,
    end: usize,
    column: usize,
    columns: usize,
) {
    for row in row..end {
        for column in column..columns {
            *y.at.add(column * y.pitch + row) = *x.at.add(row * x.pitch + column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 11) % 23) as f32 - 11.0).collect()
    }

    #[test]
    fn strips_cover_all_rows_and_are_nearly_as_high_as_each_other() {
        for rows in (4..200).step_by(4) {
            let mut next = 0;
            unsafe {
                each_strip(rows, |row, high| {
                    assert_eq!(row, next);
                    assert!((4..=TILE_ROWS).contains(&high), "{high} of {rows}");
                    next += high;
                });
            }
            assert_eq!(next, rows);
        }
    }

    /// Whole numbers: every order of summation gives the same.
    #[test]
    fn products_of_every_size_are_the_plain_sums() {
        for (rows, depth, columns) in [(4, 3, 8), (8, 64, 16), (16, 16, 24), (20, 130, 8), (32, 65, 64), (64, 32, 8)] {
            for (left, adds) in [(Left::Rows, false), (Left::Rows, true), (Left::Columns, false), (Left::Columns, true)]
            {
                let (a, b, mut y) = (numbers(rows * depth, 1), numbers(depth * columns, 2), vec![1.0; rows * columns]);
                let pitch = if left == Left::Rows { depth } else { rows };
                let (a_at, b_at) = (Matrix::new(a.as_ptr(), pitch), Matrix::new(b.as_ptr(), columns));
                unsafe { product(left, a_at, b_at, Matrix::new(y.as_mut_ptr(), columns), rows, depth, columns, adds) };
                for (r, c) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                    let number = |l: usize| a[if left == Left::Rows { r * depth + l } else { l * rows + r }];
                    let sum: f32 = (0..depth).map(|l| number(l) * b[l * columns + c]).sum();
                    assert_eq!(y[r * columns + c], sum + if adds { 1.0 } else { 0.0 }, "{rows} {depth} {columns}");
                }
            }
        }
    }

    #[test]
    fn matrices_of_every_size_are_transposed() {
        for (rows, columns) in [(1, 9), (3, 3), (4, 4), (5, 6), (6, 128), (7, 3), (9, 13)] {
            let (x, mut y) = (numbers(rows * columns, 3), vec![99.0; rows * columns]);
            unsafe { transpose(Matrix::new(x.as_ptr(), columns), Matrix::new(y.as_mut_ptr(), rows), rows, columns) };
            for (r, c) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                assert_eq!(y[c * rows + r], x[r * columns + c]);
            }
        }
    }
}
