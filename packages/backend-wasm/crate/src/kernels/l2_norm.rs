use crate::kernels::group_norm::sum;
use crate::simd::{map, sqrt, F4};
use crate::team::Team;

/// x, y: [rows, width]: one row a group of channels
pub unsafe fn l2_norm(team: &Team, x: *const f32, y: *mut f32, rows: usize, width: usize, eps: f32) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let (x, y) = (x.add(row * width), y.add(row * width));
            let length = sqrt(sum(x, width, |v| v * v));
            let scale = F4::splat(1.0 / if length > eps { length } else { eps });
            map(x, y, width, |v| v * scale);
        }
    });
}
