use crate::sequences::bounded;

/// ids: i32 [count]; x: [count, width]; y: [rows, width], rows added in the order of x
pub unsafe fn scatter_add(ids: *const i32, x: *const f32, y: *mut f32, count: usize, rows: usize, width: usize) {
    core::ptr::write_bytes(y, 0, rows * width);
    if rows == 0 {
        return;
    }
    for n in 0..count {
        let to = y.add(bounded(*ids.add(n), rows - 1) * width);
        for c in 0..width {
            *to.add(c) += *x.add(n * width + c);
        }
    }
}
