use crate::sequences::bounded;
use core::ptr::copy_nonoverlapping;

/// table: [rows, width]; ids: i32 [count]; y: [count, width]
pub unsafe fn gather(table: *const f32, ids: *const i32, y: *mut f32, count: usize, rows: usize, width: usize) {
    for n in 0..count {
        let to = y.add(n * width);
        if rows == 0 {
            core::ptr::write_bytes(to, 0, width);
        } else {
            copy_nonoverlapping(table.add(bounded(*ids.add(n), rows - 1) * width), to, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_reads_outside_the_table() {
        let table = [1.0, 2.0, 3.0, 4.0];
        let mut y = [9.0; 8];
        unsafe { gather(table.as_ptr(), [1, -7, 99, i32::MIN].as_ptr(), y.as_mut_ptr(), 4, 2, 2) };
        assert_eq!(y, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
        unsafe { gather(table.as_ptr(), [5].as_ptr(), y.as_mut_ptr(), 1, 0, 2) };
        assert_eq!(y[..2], [0.0, 0.0]);
    }
}
