use crate::sequences::Sequences;
use core::ptr::{copy_nonoverlapping, null};

/// gy, gx: [tokens, width]; glast, gprev: [sequences, width]
pub unsafe fn token_shift_grad(
    starts: *const i32,
    gy: *const f32,
    glast: *const f32,
    gx: *mut f32,
    gprev: *mut f32,
    tokens: usize,
    sequences: usize,
    width: usize,
) {
    let batch = Sequences { starts, slots: null(), count: sequences, tokens, rows: sequences };
    batch.each(|row, begin, end| {
        let (last, prev) = (glast.add(row * width), gprev.add(row * width));
        if begin == end {
            return copy_nonoverlapping(last, prev, width);
        }
        copy_nonoverlapping(gy.add(begin * width), prev, width);
        copy_nonoverlapping(gy.add((begin + 1) * width), gx.add(begin * width), (end - 1 - begin) * width);
        copy_nonoverlapping(last, gx.add((end - 1) * width), width);
    });
}
