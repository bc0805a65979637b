//! Products of two matrices that lie row by row, either of them transposed: variables and their gradients.
//!
//! Blocks of the right factor are packed into strips of eight columns, of the left into strips of six rows, so that a tile
//! reads two streams. Threads share blocks of the result; each sum is taken in the same order
//! whatever their number.

use crate::simd::{F4, LANES};
use crate::team::Team;
use crate::tiles::{outer_products, transpose, Matrix, TILE_COLUMNS, WIDE_ROWS as TILE_ROWS};

/// The most rows of a block of the result, and how many products of each of its sums are taken at a time.
const ROWS: usize = 16 * TILE_ROWS;
const DEPTH: usize = 512;
/// The numbers of the right factor that are packed at a time.
const PACKED: usize = 128 * DEPTH;

/// The f32 of scratch that each thread needs.
pub const SCRATCH: usize = DEPTH * ROWS + PACKED;

/// Below this many rows packing would take longer than the product.
pub const FEWEST_ROWS: usize = 8;

/// y = op(a) @ op(b), `batch` times. a: [batch, m, k], or [batch, k, m] when transposed; b: [batch, k, n], or
/// [batch, n, k]; y: [batch, m, n]; scratch: [threads, SCRATCH]
pub unsafe fn product(
    team: &Team,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    scratch: *mut f32,
    batch: usize,
    m: usize,
    k: usize,
    n: usize,
    transpose_a: bool,
    transpose_b: bool,
) {
    // The gradient of a matrix has few rows and a long sum: a block for each thread, and as few as can be.
    let share = if transpose_a { m.div_ceil(team.size) } else { ROWS / 2 };
    let highest = ROWS.min(share.div_ceil(TILE_ROWS) * TILE_ROWS).max(TILE_ROWS);
    let widest = if transpose_a { PACKED / DEPTH } else { PACKED / DEPTH.min(k.max(1)) / TILE_COLUMNS * TILE_COLUMNS };
    let (blocks, strips) = (m.div_ceil(highest), n.div_ceil(widest));
    let packed = scratch.add(team.id * SCRATCH);
    let left = packed.add(PACKED);
    // Which block of b is packed: neighbouring pieces share theirs.
    let mut held = None;
    team.share(batch * strips * blocks, 1, |first, last| {
        for piece in first..last {
            let (i, strip, block) = (piece / (strips * blocks), piece / blocks % strips, piece % blocks);
            let (a, b, y) = (a.add(i * m * k), b.add(i * k * n), y.add(i * m * n));
            let (row, column) = (block * highest, strip * widest);
            let (rows, columns) = (highest.min(m - row), widest.min(n - column));
            let y = Matrix::new(y.add(row * n + column), n);
            if k == 0 {
                for r in 0..rows {
                    core::ptr::write_bytes(y.at.add(r * n), 0, columns);
                }
            }
            for from in (0..k).step_by(DEPTH) {
                let depth = DEPTH.min(k - from);
                if held != Some((i, strip, from)) {
                    if transpose_b {
                        pack_rows::<TILE_COLUMNS>(Matrix::new(b.add(column * k + from), k), packed, depth, columns);
                    } else {
                        pack_strips::<TILE_COLUMNS>(Matrix::new(b.add(from * n + column), n), packed, depth, columns);
                    }
                    held = Some((i, strip, from));
                }
                if transpose_a {
                    pack_strips::<TILE_ROWS>(Matrix::new(a.add(from * m + row), m), left, depth, rows);
                } else {
                    pack_rows::<TILE_ROWS>(Matrix::new(a.add(row * k + from), k), left, depth, rows);
                }
                tiles(packed, y, rows, depth, columns, from > 0, |r, b, y| {
                    tile(left.add(r * depth), b, y, depth, from > 0);
                });
            }
        }
    });
}

/// Six rows by eight columns along a strip of each. a: [depth, 6]; b: [depth, 8]; `adds`: to what is there
#[inline(never)]
unsafe fn tile(a: *const f32, b: *const f32, y: Matrix<*mut f32>, depth: usize, adds: bool) {
    let sums = outer_products::<TILE_ROWS>(a, [b, b.add(LANES)], TILE_COLUMNS, depth);
    for (i, row) in sums.into_iter().enumerate() {
        let y = y.at.add(i * y.pitch);
        for (half, sum) in row.into_iter().enumerate() {
            let y = y.add(half * LANES);
            (if adds { F4::load(y) + sum } else { sum }).store(y);
        }
    }
}

/// Calls `f(row, strip of b, y)` for every tile of a block; what sticks out of the block is left out.
#[inline(always)]
unsafe fn tiles(
    packed: *const f32,
    y: Matrix<*mut f32>,
    rows: usize,
    depth: usize,
    columns: usize,
    adds: bool,
    f: impl Fn(usize, *const f32, Matrix<*mut f32>),
) {
    let mut edge = [0.0; TILE_ROWS * TILE_COLUMNS];
    for column in (0..columns).step_by(TILE_COLUMNS) {
        let b = packed.add(column * depth);
        let wide = TILE_COLUMNS.min(columns - column);
        for row in (0..rows).step_by(TILE_ROWS) {
            let to = Matrix::new(y.at.add(row * y.pitch + column), y.pitch);
            let high = TILE_ROWS.min(rows - row);
            if high == TILE_ROWS && wide == TILE_COLUMNS {
                f(row, b, to);
                continue;
            }
            if adds {
                for r in 0..high {
                    for c in 0..wide {
                        edge[r * TILE_COLUMNS + c] = *to.at.add(r * to.pitch + c);
                    }
                }
            }
            f(row, b, Matrix::new(edge.as_mut_ptr(), TILE_COLUMNS));
            for r in 0..high {
                for c in 0..wide {
                    *to.at.add(r * to.pitch + c) = edge[r * TILE_COLUMNS + c];
                }
            }
        }
    }
}

/// Strips of W columns of x, k by k, the last filled up with zeros. x: [depth, count]; to: [count / W, depth, W]
unsafe fn pack_strips<const W: usize>(x: Matrix<*const f32>, mut to: *mut f32, depth: usize, count: usize) {
    for first in (0..count).step_by(W) {
        let width = W.min(count - first);
        let mut from = x.at.add(first);
        for _ in 0..depth {
            if width == W {
                // W lies between one vector and two: they overlap.
                for c in [0, W - LANES] {
                    F4::load(from.add(c)).store(to.add(c));
                }
            } else {
                for c in 0..W {
                    *to.add(c) = if c < width { *from.add(c) } else { 0.0 };
                }
            }
            (from, to) = (from.add(x.pitch), to.add(W));
        }
    }
}

/// The same of xᵀ. x: [count, depth]
unsafe fn pack_rows<const W: usize>(x: Matrix<*const f32>, mut to: *mut f32, depth: usize, count: usize) {
    for first in (0..count).step_by(W) {
        let width = W.min(count - first);
        if width < W {
            core::ptr::write_bytes(to, 0, depth * W);
        }
        let from = Matrix::new(x.at.add(first * x.pitch), x.pitch);
        transpose(from, Matrix::new(to, W), width, depth);
        to = to.add(depth * W);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 11) % 23) as f32 - 11.0).collect()
    }

    /// Whole numbers: every order of summation gives the same.
    #[test]
    fn every_size_and_orientation_gives_the_plain_sums() {
        let mut scratch = vec![7.0; SCRATCH];
        for (batch, m, k, n) in
            [(1, 8, 5, 8), (2, 9, 3, 13), (1, 70, 600, 131), (1, 3, 1, 1), (1, 4, 0, 9), (3, 1, 4, 2)]
        {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let (a, b, mut y) = (numbers(batch * m * k, 1), numbers(batch * k * n, 2), vec![9.0; batch * m * n]);
                let (pa, pb) = (a.as_ptr(), b.as_ptr());
                unsafe {
                    product(&Team::alone(), pa, pb, y.as_mut_ptr(), scratch.as_mut_ptr(), batch, m, k, n, ta, tb)
                };
                for i in 0..batch {
                    for (r, c) in (0..m).flat_map(|r| (0..n).map(move |c| (r, c))) {
                        let sum: f32 = (0..k)
                            .map(|l| {
                                let x = a[i * m * k + if ta { l * m + r } else { r * k + l }];
                                x * b[i * k * n + if tb { c * k + l } else { l * n + c }]
                            })
                            .sum();
                        assert_eq!(y[(i * m + r) * n + c], sum, "{m} {k} {n} {ta} {tb}");
                    }
                }
            }
        }
    }
}
