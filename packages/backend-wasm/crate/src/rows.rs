//! Products of few rows with weights that lie row by row; `gemm` serves more rows.

use crate::simd::{F4, LANES};
use crate::team::Team;

/// y = x @ wᵀ. x: [rows, inner]; w: [outer, inner]; y: [rows, outer]
///
/// Four rows of w at a time, which stay in the nearest cache while the rows of x pass by in pairs.
pub unsafe fn by_rows(team: &Team, x: *const f32, w: *const f32, y: *mut f32, rows: usize, inner: usize, outer: usize) {
    team.share(outer, 4, |begin, end| some_rows(x, w, y, rows, inner, outer, begin, end));
}

/// Columns `o` to before `end` of y.
unsafe fn some_rows(
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
    mut o: usize,
    end: usize,
) {
    while o < end {
        let (w, y) = (w.add(o * inner), y.add(o));
        let mut n = 0;
        if o + 4 <= end {
            while n + 2 <= rows {
                dots::<2, 4>(x.add(n * inner), w, y.add(n * outer), inner, outer);
                n += 2;
            }
            if n < rows {
                dots::<1, 4>(x.add(n * inner), w, y.add(n * outer), inner, outer);
            }
            o += 4;
        } else {
            while n < rows {
                dots::<1, 1>(x.add(n * inner), w, y.add(n * outer), inner, outer);
                n += 1;
            }
            o += 1;
        }
    }
}

/// N rows of x by O rows of w. x: [N, inner]; w: [O, inner]; y: N rows of O numbers, `pitch` apart
#[inline(always)]
unsafe fn dots<const N: usize, const O: usize>(x: *const f32, w: *const f32, y: *mut f32, inner: usize, pitch: usize) {
    let whole = F4::lanes_before(inner);
    let mut sums = [[F4::zero(); O]; N];
    let mut i = 0;
    while i < whole {
        let mut ws = [F4::zero(); O];
        for (o, w4) in ws.iter_mut().enumerate() {
            *w4 = F4::load(w.add(o * inner + i));
        }
        for (n, row) in sums.iter_mut().enumerate() {
            let x4 = F4::load(x.add(n * inner + i));
            for (sum, w4) in row.iter_mut().zip(ws) {
                *sum = sum.plus_product(x4, w4);
            }
        }
        i += LANES;
    }
    for (n, row) in sums.iter().enumerate() {
        for (o, sum) in row.iter().enumerate() {
            let mut sum = sum.sum();
            for i in whole..inner {
                sum += *x.add(n * inner + i) * *w.add(o * inner + i);
            }
            *y.add(n * pitch + o) = sum;
        }
    }
}

/// y = x @ w. x: [rows, inner]; w: [inner, outer]; y: [rows, outer]
///
/// Columns of w in strips; each number of x meets a strip.
pub unsafe fn by_columns(
    team: &Team,
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    team.share(outer, 4 * LANES, |begin, end| {
        some_columns(x, w, y, rows, inner, outer, begin, end);
    });
}

/// Columns `o` to before `end` of y.
unsafe fn some_columns(
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
    mut o: usize,
    end: usize,
) {
    while o < end {
        let (w, y) = (w.add(o), y.add(o));
        let mut n = 0;
        if o + 4 * LANES <= end {
            while n + 2 <= rows {
                strip::<2, 4>(x.add(n * inner), w, y.add(n * outer), inner, outer);
                n += 2;
            }
            if n < rows {
                strip::<1, 4>(x.add(n * inner), w, y.add(n * outer), inner, outer);
            }
            o += 4 * LANES;
        } else if o + LANES <= end {
            while n < rows {
                strip::<1, 1>(x.add(n * inner), w, y.add(n * outer), inner, outer);
                n += 1;
            }
            o += LANES;
        } else {
            while n < rows {
                let x = x.add(n * inner);
                let mut sum = 0.0;
                for i in 0..inner {
                    sum += *x.add(i) * *w.add(i * outer);
                }
                *y.add(n * outer) = sum;
                n += 1;
            }
            o += 1;
        }
    }
}

/// N rows of x by V · LANES columns of w. w, y: rows `pitch` apart
#[inline(always)]
unsafe fn strip<const N: usize, const V: usize>(x: *const f32, w: *const f32, y: *mut f32, inner: usize, pitch: usize) {
    let mut sums = [[F4::zero(); V]; N];
    for i in 0..inner {
        let mut ws = [F4::zero(); V];
        for (v, w4) in ws.iter_mut().enumerate() {
            *w4 = F4::load(w.add(i * pitch + v * LANES));
        }
        for (n, row) in sums.iter_mut().enumerate() {
            let x4 = F4::splat(*x.add(n * inner + i));
            for (sum, w4) in row.iter_mut().zip(ws) {
                *sum = sum.plus_product(x4, w4);
            }
        }
    }
    for (n, row) in sums.iter().enumerate() {
        for (v, sum) in row.iter().enumerate() {
            sum.store(y.add(n * pitch + v * LANES));
        }
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
    fn every_size_gives_the_plain_sums() {
        for rows in [0, 1, 2, 3] {
            for (inner, outer) in [(1, 1), (5, 3), (8, 21), (13, 38), (0, 4)] {
                let (x, w) = (numbers(rows * inner, 1), numbers(outer * inner, 2));
                let (mut y, mut z) = (vec![9.0; rows * outer], vec![9.0; rows * outer]);
                unsafe {
                    by_rows(&Team::alone(), x.as_ptr(), w.as_ptr(), y.as_mut_ptr(), rows, inner, outer);
                    by_columns(&Team::alone(), x.as_ptr(), w.as_ptr(), z.as_mut_ptr(), rows, inner, outer);
                }
                for (n, o) in (0..rows).flat_map(|n| (0..outer).map(move |o| (n, o))) {
                    let sum =
                        |at: &dyn Fn(usize) -> usize| (0..inner).map(|i| x[n * inner + i] * w[at(i)]).sum::<f32>();
                    assert_eq!(y[n * outer + o], sum(&|i| o * inner + i));
                    assert_eq!(z[n * outer + o], sum(&|i| i * outer + o));
                }
            }
        }
    }
}
