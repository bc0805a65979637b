use crate::kernels::softmax::largest;
use crate::team::Team;

/// x: [rows, width]; y: i32 [rows]
pub unsafe fn argmax(team: &Team, x: *const f32, y: *mut i32, rows: usize, width: usize) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            *y.add(row) = first_largest(x.add(row * width), width) as i32;
        }
    });
}

/// Where the largest of `count` numbers is first; 0 when there is none, or one is NaN.
pub unsafe fn first_largest(x: *const f32, count: usize) -> usize {
    let most = largest(x, count);
    (0..count).find(|&i| *x.add(i) == most).unwrap_or(0)
}
