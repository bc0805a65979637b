use crate::sequences::bounded;
use crate::team::Team;

/// ids: i32 [count]; x: [count, width]; y: [rows, width], rows added in the order of x. Threads share the columns.
pub unsafe fn scatter_add(
    team: &Team,
    ids: *const i32,
    x: *const f32,
    y: *mut f32,
    count: usize,
    rows: usize,
    width: usize,
) {
    if rows == 0 {
        return;
    }
    team.share(width, 16, |begin, end| {
        for row in 0..rows {
            core::ptr::write_bytes(y.add(row * width + begin), 0, end - begin);
        }
        for n in 0..count {
            let to = y.add(bounded(*ids.add(n), rows - 1) * width);
            for c in begin..end {
                *to.add(c) += *x.add(n * width + c);
            }
        }
    });
}
