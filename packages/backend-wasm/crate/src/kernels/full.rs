use crate::team::Team;

/// y: [count]
pub unsafe fn full(team: &Team, value: f32, y: *mut f32, count: usize) {
    team.share(count, 4, |begin, end| {
        for i in begin..end {
            *y.add(i) = value;
        }
    });
}
