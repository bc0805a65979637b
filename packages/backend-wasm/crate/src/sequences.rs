//! A batch of sequences laid one after the other, and where each keeps its state.

use crate::team::Team;

/// Sequence s is tokens `starts[s]..starts[s + 1]`; its state is row `slots[s]` of a pool, or row s without slots.
#[derive(Clone, Copy)]
pub struct Sequences {
    /// i32 [count + 1]
    pub starts: *const i32,
    /// i32 [count], or null
    pub slots: *const i32,
    pub count: usize,
    /// Number of tokens of all sequences.
    pub tokens: usize,
    /// Rows of the pool; without slots, `count`.
    pub rows: usize,
}

impl Sequences {
    /// Sequence s: the row of its state, its first token, and the one after its last. Whatever the tables hold, the
    /// numbers are in bounds; None when the pool has no rows.
    #[inline(always)]
    pub unsafe fn get(&self, s: usize) -> Option<(usize, usize, usize)> {
        let rows = if self.slots.is_null() { self.count } else { self.rows };
        if rows == 0 {
            return None;
        }
        let begin = bounded(*self.starts.add(s), self.tokens);
        let end = bounded(*self.starts.add(s + 1), self.tokens).max(begin);
        let row = if self.slots.is_null() { s } else { bounded(*self.slots.add(s), rows - 1) };
        Some((row, begin, end))
    }

    /// Calls `f(row of the state, begin, end)` for each sequence.
    #[inline(always)]
    pub unsafe fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for s in 0..self.count {
            if let Some((row, begin, end)) = self.get(s) {
                f(row, begin, end);
            }
        }
    }

    /// Calls `f(row of the state, head, begin, end)` for each head of each sequence; threads share them.
    #[inline(always)]
    pub unsafe fn share_heads(&self, team: &Team, heads: usize, mut f: impl FnMut(usize, usize, usize, usize)) {
        team.share(self.count * heads, 1, |first, last| {
            for item in first..last {
                if let Some((row, begin, end)) = self.get(item / heads) {
                    f(row, item % heads, begin, end);
                }
            }
        });
    }

    /// In the pure form, a new state begins as the old; in the pooled form they are the same memory.
    /// from, to: [width] of one sequence
    #[inline(always)]
    pub unsafe fn begin_state(&self, from: *const f32, to: *mut f32, width: usize) {
        if self.slots.is_null() && !core::ptr::eq(from, to) {
            core::ptr::copy_nonoverlapping(from, to, width);
        }
    }
}

/// A number from data, held between 0 and `max`.
#[inline(always)]
pub fn bounded(x: i32, max: usize) -> usize {
    (x.max(0) as usize).min(max)
}
