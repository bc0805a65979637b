use crate::sequences::Sequences;
use crate::team::Team;
use core::ptr::{copy_nonoverlapping, null};

/// gy, gx: [tokens, width]; glast, gprev: [sequences, width]. Threads share the columns.
pub unsafe fn token_shift_grad(
    team: &Team,
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
    team.share(width, 16, |first, after| {
        let columns = after - first;
        batch.each(|row, begin, end| {
            let mut to = gprev.add(row * width + first);
            for t in begin..end {
                copy_nonoverlapping(gy.add(t * width + first), to, columns);
                to = gx.add(t * width + first);
            }
            copy_nonoverlapping(glast.add(row * width + first), to, columns);
        });
    });
}
