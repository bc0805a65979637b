use crate::sequences::bounded;
use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// pool: [rows, width]; slots: i32 [count]; value: [count, width]. Of equal slots the last is kept.
pub unsafe fn state_write(
    team: &Team,
    pool: *mut f32,
    slots: *const i32,
    value: *const f32,
    count: usize,
    rows: usize,
    width: usize,
) {
    if rows == 0 {
        return;
    }
    team.share(width, 16, |begin, end| {
        for s in 0..count {
            let row = bounded(*slots.add(s), rows - 1);
            copy_nonoverlapping(value.add(s * width + begin), pool.add(row * width + begin), end - begin);
        }
    });
}
