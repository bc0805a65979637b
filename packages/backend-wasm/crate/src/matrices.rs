//! Products of two matrices that lie row by row, either of them transposed: variables and their gradients.
//!
//! Blocks of the right factor are packed into strips of eight columns, of the left into strips of six rows, so that a tile
//! reads two streams. Threads share pieces of the result; each sum is taken in the same order
//! whatever their number.

use crate::simd::{F4, LANES};
use crate::team::Team;
use crate::tiles::{outer_products, put, transpose, Matrix, TILE_COLUMNS, TILE_ROWS};

/// The most rows of the left factor that are packed at a time, and how many products of each sum are taken at a time.
const ROWS: usize = 96;
const DEPTH: usize = 512;
/// The numbers of the right factor that are packed at a time.
const PACKED: usize = 128 * DEPTH;
/// The rows of a strip that has no more of them; where it has fewer it is filled up.
const FEW_ROWS: usize = 4;

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
    let widest = PACKED / DEPTH.min(k.max(1)) / TILE_COLUMNS * TILE_COLUMNS;
    let strips = n.div_ceil(widest);
    // All threads have as many pieces. The gradient of a matrix, a long sum for few rows, packs most: it has as few as can be.
    let fewest =
        if transpose_a { team.size.div_ceil((batch * strips).max(1)) } else { team.even(m.div_ceil(ROWS / 2)) };
    let highest = m.div_ceil(fewest.max(1)).next_multiple_of(TILE_ROWS).max(TILE_ROWS);
    let blocks = m.div_ceil(highest);
    let packed = scratch.add(team.id * SCRATCH);
    let left = packed.add(PACKED);
    // Which block of b is packed: neighbouring pieces share theirs.
    let mut held = None;
    team.share(batch * strips * blocks, 1, |first, last| {
        for piece in first..last {
            let (i, strip, block) = (piece / (strips * blocks), piece / blocks % strips, piece % blocks);
            let (top, column) = (block * highest, strip * widest);
            let (bottom, columns) = (m.min(top + highest), widest.min(n - column));
            let (a, b, y) = (a.add(i * m * k), b.add(i * k * n), y.add(i * m * n + column));
            if k == 0 {
                for row in top..bottom {
                    core::ptr::write_bytes(y.add(row * n), 0, columns);
                }
            }
            for from in (0..k).step_by(DEPTH) {
                let depth = DEPTH.min(k - from);
                if held != Some((i, strip, from)) {
                    each_slab(depth, transpose_b, |l, some| {
                        for at in (0..columns).step_by(TILE_COLUMNS) {
                            let x = block_of(b, k, n, from + l, column + at, transpose_b);
                            let (to, width) =
                                (packed.add(at * depth + l * TILE_COLUMNS), TILE_COLUMNS.min(columns - at));
                            lay(x, transpose_b, to, some, width, TILE_COLUMNS);
                        }
                    });
                    held = Some((i, strip, from));
                }
                for row in (top..bottom).step_by(ROWS) {
                    let rows = ROWS.min(bottom - row);
                    each_slab(depth, !transpose_a, |l, some| {
                        for at in (0..rows).step_by(TILE_ROWS) {
                            let x = block_of(a, k, m, from + l, row + at, !transpose_a);
                            let (high, room) = strip_of(rows - at);
                            lay(x, !transpose_a, left.add(at * depth + l * room), some, high, room);
                        }
                    });
                    let y = Matrix::new(y.add(row * n), n);
                    tiles(left, packed, y, rows, depth, columns, from > 0);
                }
            }
        }
    });
}

/// Calls `f(first, how many)` for the k that are laid together: all of them where they lie side by side. Else each lies in a line of
/// cache of its own, which several strips share, and few such lines, far from each other by a power of two, are there at the same time.
#[inline(always)]
unsafe fn each_slab(depth: usize, across: bool, mut f: impl FnMut(usize, usize)) {
    let step = if across { depth } else { 64 };
    for l in (0..depth).step_by(step) {
        f(l, step.min(depth - l));
    }
}

/// Where row `k` and column `column` of a factor is [depth, width], or [width, depth] when it lies `across`.
unsafe fn block_of(
    x: *const f32,
    depth: usize,
    width: usize,
    k: usize,
    column: usize,
    across: bool,
) -> Matrix<*const f32> {
    if across {
        Matrix::new(x.add(column * depth + k), depth)
    } else {
        Matrix::new(x.add(k * width + column), width)
    }
}

/// Lays columns of a factor side by side, k by k, and zeros after them. x: see `block_of`; to: [depth, room]
#[inline(never)]
unsafe fn lay(x: Matrix<*const f32>, across: bool, to: *mut f32, depth: usize, width: usize, room: usize) {
    if width < room {
        core::ptr::write_bytes(to, 0, depth * room);
    }
    if across {
        return transpose(x, Matrix::new(to, room), width, depth);
    }
    if width < LANES {
        return (0..depth).for_each(|k| core::ptr::copy_nonoverlapping(x.at.add(k * x.pitch), to.add(k * room), width));
    }
    let (mut from, mut to, second) = (x.at, to, width - LANES);
    for _ in 0..depth {
        // At most eight: two vectors, which may overlap.
        F4::load(from).store(to);
        F4::load(from.add(second)).store(to.add(second));
        (from, to) = (from.add(x.pitch), to.add(room));
    }
}

/// The rows of the next strip of so many, and how many it is filled up to.
fn strip_of(rows: usize) -> (usize, usize) {
    (rows.min(TILE_ROWS), if rows > FEW_ROWS { TILE_ROWS } else { FEW_ROWS })
}

/// All tiles of a block; what sticks out of it is left out. left: strips of rows [depth, rows]; right: of columns [depth, 8]
unsafe fn tiles(
    left: *const f32,
    right: *const f32,
    y: Matrix<*mut f32>,
    rows: usize,
    depth: usize,
    columns: usize,
    adds: bool,
) {
    for column in (0..columns).step_by(TILE_COLUMNS) {
        let b = right.add(column * depth);
        let wide = TILE_COLUMNS.min(columns - column);
        for row in (0..rows).step_by(TILE_ROWS) {
            let (high, room) = strip_of(rows - row);
            let a = left.add(row * depth);
            let to = Matrix::new(y.at.add(row * y.pitch + column), y.pitch);
            if high == TILE_ROWS && wide == TILE_COLUMNS {
                tile::<TILE_ROWS>(a, b, to, depth, adds);
                continue;
            }
            let mut edge = [0.0; TILE_ROWS * TILE_COLUMNS];
            let whole = Matrix::new(edge.as_mut_ptr(), TILE_COLUMNS);
            if room == TILE_ROWS {
                tile::<TILE_ROWS>(a, b, whole, depth, false);
            } else {
                tile::<FEW_ROWS>(a, b, whole, depth, false);
            }
            for (r, sums) in edge.chunks(TILE_COLUMNS).enumerate().take(high) {
                for (c, sum) in sums.iter().enumerate().take(wide) {
                    let y = to.at.add(r * to.pitch + c);
                    *y = if adds { *y + sum } else { *sum };
                }
            }
        }
    }
}

/// N rows by eight columns along a strip of each. a: [depth, N]; b: [depth, 8]; `adds`: to what is there
#[inline(never)]
unsafe fn tile<const N: usize>(a: *const f32, b: *const f32, y: Matrix<*mut f32>, depth: usize, adds: bool) {
    put(outer_products::<N>(Matrix::new(a, N), [b, b.add(LANES)], TILE_COLUMNS, depth), y, adds);
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
            [(1, 8, 5, 8), (2, 9, 3, 13), (1, 7, 9, 17), (1, 110, 600, 131), (1, 3, 1, 1), (1, 4, 0, 9), (3, 1, 4, 2)]
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
