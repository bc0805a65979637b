use crate::kernels::gather::rows_of;
use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// pool: [rows, width]; slots: i32 [count]; y: [count, width]
pub unsafe fn state_read(
    team: &Team,
    pool: *const f32,
    slots: *const i32,
    y: *mut f32,
    count: usize,
    rows: usize,
    width: usize,
) {
    rows_of(team, slots, y, count, rows, width, |row, y| copy_nonoverlapping(pool.add(row * width), y, width));
}
