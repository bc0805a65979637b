use crate::team::Team;
use core::ptr::copy_nonoverlapping;

/// a: [rows, a_width]; b: [rows, b_width]; y: [rows, a_width + b_width]
pub unsafe fn concat(
    team: &Team,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    rows: usize,
    a_width: usize,
    b_width: usize,
) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let to = y.add(row * (a_width + b_width));
            copy_nonoverlapping(a.add(row * a_width), to, a_width);
            copy_nonoverlapping(b.add(row * b_width), to.add(a_width), b_width);
        }
    });
}
