use crate::kernels::gather::gather;

/// pool: [rows, width]; slots: i32 [count]; y: [count, width]
pub unsafe fn state_read(pool: *const f32, slots: *const i32, y: *mut f32, count: usize, rows: usize, width: usize) {
    gather(pool, slots, y, count, rows, width);
}
