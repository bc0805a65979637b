use crate::team::Team;

/// x: f32 [count]; y: i32 [count], fractions dropped
pub unsafe fn cast_to_whole(team: &Team, x: *const f32, y: *mut i32, count: usize) {
    team.share(count, 4, |begin, end| {
        for i in begin..end {
            *y.add(i) = *x.add(i) as i32;
        }
    });
}

/// x: i32 [count]; y: f32 [count]
pub unsafe fn cast_to_float(team: &Team, x: *const i32, y: *mut f32, count: usize) {
    team.share(count, 4, |begin, end| {
        for i in begin..end {
            *y.add(i) = *x.add(i) as f32;
        }
    });
}
