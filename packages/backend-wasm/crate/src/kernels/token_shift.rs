use crate::sequences::Sequences;
use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// x, y: [tokens, width]; prev, last: [sequences, width], or the pool [pool_rows, width] when there are slots.
/// Threads share the columns.
pub unsafe fn token_shift(
    team: &Team,
    x: *const f32,
    prev: *const f32,
    starts: *const i32,
    slots: *const i32,
    y: *mut f32,
    last: *mut f32,
    tokens: usize,
    sequences: usize,
    width: usize,
    pool_rows: usize,
) {
    let batch = Sequences { starts, slots, count: sequences, tokens, rows: pool_rows };
    team.share(width, 16, |first, after| {
        let columns = after - first;
        batch.each(|row, begin, end| {
            let state = last.add(row * width + first);
            batch.begin_state(prev.add(row * width + first), state, columns);
            let mut before = state as *const f32;
            for t in begin..end {
                copy_nonoverlapping(before, y.add(t * width + first), columns);
                before = x.add(t * width + first);
            }
            if begin < end {
                copy_nonoverlapping(before, state, columns);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::null;

    #[test]
    fn an_empty_sequence_keeps_its_state() {
        let (x, prev, mut y, mut last) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [0.0; 3], [0.0; 3]);
        let starts = [0, 2, 2, 3];
        unsafe {
            let (x, prev, starts) = (x.as_ptr(), prev.as_ptr(), starts.as_ptr());
            token_shift(&Team::alone(), x, prev, starts, null(), y.as_mut_ptr(), last.as_mut_ptr(), 3, 3, 1, 3);
        }
        assert_eq!((y, last), ([10.0, 1.0, 30.0], [2.0, 20.0, 3.0]));
    }

    #[test]
    fn a_pool_is_updated_in_place_and_never_left() {
        let (x, mut pool, mut y) = ([1.0, 2.0, 3.0], [10.0, 20.0], [0.0; 3]);
        let (starts, slots) = ([0, 2, 99], [1, -5]);
        unsafe {
            let state = pool.as_mut_ptr();
            token_shift(
                &Team::alone(),
                x.as_ptr(),
                state,
                starts.as_ptr(),
                slots.as_ptr(),
                y.as_mut_ptr(),
                state,
                3,
                2,
                1,
                2,
            );
        }
        assert_eq!((y, pool), ([20.0, 1.0, 10.0], [3.0, 2.0]));
    }
}
