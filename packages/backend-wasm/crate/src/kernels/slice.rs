use core::ptr::copy_nonoverlapping;

/// x: [rows, pitch]; y: [rows, width], columns `offset..offset + width` of x
pub unsafe fn slice(x: *const f32, y: *mut f32, rows: usize, pitch: usize, offset: usize, width: usize) {
    for row in 0..rows {
        copy_nonoverlapping(x.add(row * pitch + offset), y.add(row * width), width);
    }
}
