//! Products of blocks of matrices that lie in the caches: what `gemm` and the chunked kernels of the memories are made of.

use crate::simd::{F4, LANES};

/// Rows and columns of a tile: its sums stay in registers.
pub const TILE_ROWS: usize = 4;
pub const TILE_COLUMNS: usize = 2 * LANES;

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

/// y = a @ b, or y += a @ b when `adds`. a: [rows, depth] as `left` says; b: [depth, columns]; y: [rows, columns].
/// Rows are a multiple of TILE_ROWS, columns of TILE_COLUMNS.
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
    for column in (0..columns).step_by(TILE_COLUMNS) {
        for row in (0..rows).step_by(TILE_ROWS) {
            let b = Matrix::new(b.at.add(column), b.pitch);
            let y = Matrix::new(y.at.add(row * y.pitch + column), y.pitch);
            match left {
                Left::Rows => {
                    let a = core::array::from_fn(|i| a.at.add((row + i) * a.pitch));
                    tile_of_rows(a, b, y, depth, adds);
                }
                Left::Columns => tile_of_columns(Matrix::new(a.at.add(row), a.pitch), b, y, depth, adds),
            }
        }
    }
}

type Sums = [[F4; 2]; TILE_ROWS];

/// Four rows, wherever each lies, by eight columns.
#[inline(always)]
pub unsafe fn tile_of_rows(
    a: [*const f32; TILE_ROWS],
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    depth: usize,
    adds: bool,
) {
    let mut sums = begin(y, adds);
    let [mut a, mut second, mut c, mut d] = a;
    let mut row = b.at;
    let last = a.add(depth - depth % LANES);
    // Four k at a time, so that the offsets of most loads are constants.
    while a != last {
        for l in 0..LANES {
            step(&mut sums, row, [a, second, c, d].map(|x| F4::splat(*x.add(l))));
            row = row.add(b.pitch);
        }
        [a, second, c, d] = [a, second, c, d].map(|x| x.add(LANES));
    }
    for _ in 0..depth % LANES {
        step(&mut sums, row, [a, second, c, d].map(|x| F4::splat(*x)));
        row = row.add(b.pitch);
        [a, second, c, d] = [a, second, c, d].map(|x| x.add(1));
    }
    end(&sums, y);
}

/// Four rows whose numbers lie side by side, `a.pitch` from one k to the next, by eight columns.
#[inline(always)]
pub unsafe fn tile_of_columns(
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    y: Matrix<*mut f32>,
    depth: usize,
    adds: bool,
) {
    let mut sums = begin(y, adds);
    let (mut column, mut row) = (a.at, b.at);
    for _ in 0..depth {
        step(&mut sums, row, core::array::from_fn(|i| F4::splat(*column.add(i))));
        column = column.add(a.pitch);
        row = row.add(b.pitch);
    }
    end(&sums, y);
}

#[inline(always)]
unsafe fn begin(y: Matrix<*mut f32>, adds: bool) -> Sums {
    let mut sums = [[F4::zero(); 2]; TILE_ROWS];
    if adds {
        for (i, row) in sums.iter_mut().enumerate() {
            let y = y.at.add(i * y.pitch);
            *row = [F4::load(y), F4::load(y.add(LANES))];
        }
    }
    sums
}

#[inline(always)]
unsafe fn step(sums: &mut Sums, b: *const f32, a: [F4; TILE_ROWS]) {
    let b = [F4::load(b), F4::load(b.add(LANES))];
    for (row, a) in sums.iter_mut().zip(a) {
        row[0] = row[0].plus_product(a, b[0]);
        row[1] = row[1].plus_product(a, b[1]);
    }
}

#[inline(always)]
unsafe fn end(sums: &Sums, y: Matrix<*mut f32>) {
    for (i, row) in sums.iter().enumerate() {
        let y = y.at.add(i * y.pitch);
        row[0].store(y);
        row[1].store(y.add(LANES));
    }
}

/// y = xᵀ. x: [rows, columns]; y: [columns, rows]
#[inline(never)]
pub unsafe fn transpose(x: Matrix<*const f32>, y: Matrix<*mut f32>, rows: usize, columns: usize) {
    let (whole_rows, whole_columns) = (F4::lanes_before(rows), F4::lanes_before(columns));
    for row in (0..whole_rows).step_by(LANES) {
        for column in (0..whole_columns).step_by(LANES) {
            let block = core::array::from_fn(|i| F4::load(x.at.add((row + i) * x.pitch + column)));
            for (i, line) in F4::transposed(block).into_iter().enumerate() {
                line.store(y.at.add((column + i) * y.pitch + row));
            }
        }
    }
    for row in 0..rows {
        for column in (if row < whole_rows { whole_columns } else { 0 })..columns {
            *y.at.add(column * y.pitch + row) = *x.at.add(row * x.pitch + column);
        }
    }
}

/// Rows of the left factor whose numbers lie side by side: with two vectors of columns twelve sums, which the sixteen
/// registers of x86 hold beside their factors.
pub const WIDE_ROWS: usize = 6;

/// The sums of N rows by two vectors of columns along `depth`. a: [depth, N]; b: where each vector begins, and `step` on
/// from one k to the next
#[inline(always)]
pub unsafe fn outer_products<const N: usize>(
    a: *const f32,
    b: [*const f32; 2],
    step: usize,
    depth: usize,
) -> [[F4; 2]; N] {
    let mut sums = [[F4::zero(); 2]; N];
    let (mut a, [mut left, mut right]) = (a, b);
    let end = left.add(step * depth);
    while left != end {
        let b = [F4::load(left), F4::load(right)];
        for (n, sums) in sums.iter_mut().enumerate() {
            let a = F4::load_splat(a.add(n));
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = sum.plus_product(a, b);
            }
        }
        (left, right, a) = (left.add(step), right.add(step), a.add(N));
    }
    sums
}
