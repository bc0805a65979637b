//! Walking over strided operands: broadcasting, transposing, reducing.

use crate::simd::LINE;
use crate::team::Team;

/// The most axes that an op may have after neighbours that lie alike were joined.
pub const MAX_RANK: usize = 8;

/// Sizes of an index space, and the strides of `K` operands along each of its axes, all in elements.
/// As the encoder writes it: rank ≥ 1, then sizes[rank], then strides[rank] of each operand.
pub struct Axes<const K: usize> {
    rank: usize,
    sizes: [usize; MAX_RANK],
    strides: [[usize; MAX_RANK]; K],
}

impl<const K: usize> Axes<K> {
    pub unsafe fn read(words: *const u64) -> Axes<K> {
        let rank = (*words as usize).clamp(1, MAX_RANK);
        let mut axes = Axes { rank, sizes: [1; MAX_RANK], strides: [[0; MAX_RANK]; K] };
        for axis in 0..rank {
            axes.sizes[axis] = *words.add(1 + axis) as usize;
            for k in 0..K {
                axes.strides[k][axis] = *words.add(1 + rank * (k + 1) + axis) as usize;
            }
        }
        axes
    }

    /// Length of the last axis.
    pub fn width(&self) -> usize {
        self.sizes[self.rank - 1]
    }

    /// Strides of the operands along the last axis.
    pub fn steps(&self) -> [usize; K] {
        core::array::from_fn(|k| self.strides[k][self.rank - 1])
    }

    pub fn count(&self) -> usize {
        self.sizes[..self.rank].iter().product()
    }

    /// Rows: indices of all axes but the last.
    fn rows(&self) -> usize {
        self.sizes[..self.rank - 1].iter().product()
    }

    /// Calls `f(row, offsets, begin, end)` for pieces of rows that together are the index space; the offsets are of the
    /// row's first element. Where there is one row, threads share its columns.
    #[inline(always)]
    pub unsafe fn share(&self, team: &Team, mut f: impl FnMut(usize, [usize; K], usize, usize)) {
        let (rows, width) = (self.rows(), self.width());
        if rows == 1 {
            return team.share(width, LINE, |begin, end| f(0, [0; K], begin, end));
        }
        if width > 0 {
            team.share(rows, 1, |first, last| self.each_row(first, last, |row, offsets| f(row, offsets, 0, width)));
        }
    }

    /// Calls `f(row, offsets)` for rows from `first` to before `last`, in row-major order.
    #[inline(always)]
    fn each_row(&self, first: usize, last: usize, mut f: impl FnMut(usize, [usize; K])) {
        let outer = self.rank - 1;
        let mut index = [0; MAX_RANK];
        let mut offsets = [0; K];
        let mut rest = first;
        for axis in (0..outer).rev() {
            index[axis] = rest % self.sizes[axis];
            rest /= self.sizes[axis];
            for (offset, strides) in offsets.iter_mut().zip(&self.strides) {
                *offset += index[axis] * strides[axis];
            }
        }
        for row in first..last {
            f(row, offsets);
            for axis in (0..outer).rev() {
                index[axis] += 1;
                let wraps = index[axis] == self.sizes[axis];
                for (offset, strides) in offsets.iter_mut().zip(&self.strides) {
                    let stride = strides[axis];
                    *offset = if wraps { *offset - stride * (self.sizes[axis] - 1) } else { *offset + stride };
                }
                if !wraps {
                    break;
                }
                index[axis] = 0;
            }
        }
    }

    /// Calls `f(position, offsets)` for every index; threads share them.
    #[inline(always)]
    pub unsafe fn each(&self, team: &Team, mut f: impl FnMut(usize, [usize; K])) {
        let (width, steps) = (self.width(), self.steps());
        self.share(team, |row, offsets, begin, end| {
            for i in begin..end {
                f(row * width + i, core::array::from_fn(|k| offsets[k] + i * steps[k]));
            }
        });
    }
}

/// y[i] = x[offset of i]: y is contiguous over the axes, x strided.
pub unsafe fn copy(team: &Team, x: *const f32, y: *mut f32, axes: *const u64) {
    Axes::<1>::read(axes).each(team, |at, [from]| *y.add(at) = *x.add(from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_and_broadcasts() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut y = [0.0; 6];
        unsafe { copy(&Team::alone(), x.as_ptr(), y.as_mut_ptr(), [2, 3, 2, 1, 3].as_ptr()) };
        assert_eq!(y, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let mut y = [0.0; 12];
        unsafe { copy(&Team::alone(), x.as_ptr(), y.as_mut_ptr(), [3, 2, 2, 3, 3, 0, 1].as_ptr()) };
        assert_eq!(y, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn an_empty_axis_has_no_index() {
        let mut calls = 0;
        unsafe { Axes::<1>::read([2, 0, 3, 3, 1].as_ptr()).each(&Team::alone(), |_, _| calls += 1) };
        assert_eq!(calls, 0);
    }
}
