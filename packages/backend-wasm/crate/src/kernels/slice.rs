use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// x: [rows, pitch]; y: [rows, width], columns `offset..offset + width` of x
pub unsafe fn slice(team: &Team, x: *const f32, y: *mut f32, rows: usize, pitch: usize, offset: usize, width: usize) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            copy_nonoverlapping(x.add(row * pitch + offset), y.add(row * width), width);
        }
    });
}
