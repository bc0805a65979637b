use crate::half::{bfloat_to_f32, half_to_f32};
use crate::sequences::bounded;
use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// table: [rows, width] as stored, in the type that `format` numbers; ids: i32 [count]; y: [count, width]
pub unsafe fn gather(
    team: &Team,
    format: u32,
    table: *const u8,
    ids: *const i32,
    y: *mut f32,
    count: usize,
    rows: usize,
    width: usize,
) {
    match format {
        0 => rows_of(team, ids, y, count, rows, width, |row, y| {
            copy_nonoverlapping((table as *const f32).add(row * width), y, width);
        }),
        1 => halves(team, table, ids, y, count, rows, width, half_to_f32),
        2 => halves(team, table, ids, y, count, rows, width, bfloat_to_f32),
        3 => rows_of(team, ids, y, count, rows, width, |row, y| {
            blocks(table, row, y, width, 34, |numbers, i| *(numbers as *const i8).add(i) as i32);
        }),
        _ => rows_of(team, ids, y, count, rows, width, |row, y| {
            blocks(table, row, y, width, 18, |numbers, i| i32::from(*numbers.add(i % 16) >> (i / 16 * 4) & 15) - 8);
        }),
    }
}

/// Calls `f(row, where to)` for each of the rows named, and zeroes what a table without rows was asked for.
#[inline(always)]
pub unsafe fn rows_of(
    team: &Team,
    ids: *const i32,
    y: *mut f32,
    count: usize,
    rows: usize,
    width: usize,
    f: impl Fn(usize, *mut f32),
) {
    team.share(count, 1, |begin, end| {
        for n in begin..end {
            let to = y.add(n * width);
            if rows == 0 {
                core::ptr::write_bytes(to, 0, width);
            } else {
                f(bounded(*ids.add(n), rows - 1), to);
            }
        }
    });
}

unsafe fn halves(
    team: &Team,
    table: *const u8,
    ids: *const i32,
    y: *mut f32,
    count: usize,
    rows: usize,
    width: usize,
    widen: impl Fn(u16) -> f32,
) {
    rows_of(team, ids, y, count, rows, width, |row, y| {
        let from = (table as *const u16).add(row * width);
        for c in 0..width {
            *y.add(c) = widen(from.add(c).read_unaligned());
        }
    });
}

/// A row of blocks of 32 numbers after a scale of 16 bits, `bytes` each.
unsafe fn blocks(
    table: *const u8,
    row: usize,
    y: *mut f32,
    width: usize,
    bytes: usize,
    number: impl Fn(*const u8, usize) -> i32,
) {
    for block in 0..width / 32 {
        let from = table.add((row * (width / 32) + block) * bytes);
        let scale = half_to_f32((from as *const u16).read_unaligned());
        for i in 0..32 {
            *y.add(block * 32 + i) = scale * number(from.add(2), i) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_reads_outside_the_table() {
        let table = [1.0f32, 2.0, 3.0, 4.0];
        let (table, mut y) = (table.as_ptr() as *const u8, [9.0; 8]);
        let team = Team::alone();
        unsafe { gather(&team, 0, table, [1, -7, 99, i32::MIN].as_ptr(), y.as_mut_ptr(), 4, 2, 2) };
        assert_eq!(y, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
        unsafe { gather(&team, 0, table, [5].as_ptr(), y.as_mut_ptr(), 1, 0, 2) };
        assert_eq!(y[..2], [0.0, 0.0]);
    }
}
