//! A batch of sequences laid one after the other, and where each keeps its state.

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
    /// Calls `f(row of the state, begin, end)` for each sequence. Whatever the tables hold, the numbers are in bounds.
    #[inline(always)]
    pub unsafe fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let rows = if self.slots.is_null() { self.count } else { self.rows };
        if rows == 0 {
            return;
        }
        for s in 0..self.count {
            let begin = bounded(*self.starts.add(s), self.tokens);
            let end = bounded(*self.starts.add(s + 1), self.tokens).max(begin);
            let row = if self.slots.is_null() { s } else { bounded(*self.slots.add(s), rows - 1) };
            f(row, begin, end);
        }
    }

    /// In the pure form, the new states begin as the old; in the pooled form they are the same memory.
    /// from, to: [count, width]
    pub unsafe fn begin_state(&self, from: *const f32, to: *mut f32, width: usize) {
        if self.slots.is_null() && !core::ptr::eq(from, to) {
            core::ptr::copy_nonoverlapping(from, to, self.count * width);
        }
    }
}

/// A number from data, held between 0 and `max`.
#[inline(always)]
pub fn bounded(x: i32, max: usize) -> usize {
    (x.max(0) as usize).min(max)
}
