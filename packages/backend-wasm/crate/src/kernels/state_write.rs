use crate::sequences::bounded;
use core::ptr::copy_nonoverlapping;

/// pool: [rows, width]; slots: i32 [count]; value: [count, width]
pub unsafe fn state_write(
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
    for s in 0..count {
        let row = bounded(*slots.add(s), rows - 1);
        copy_nonoverlapping(value.add(s * width), pool.add(row * width), width);
    }
}
