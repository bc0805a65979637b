use crate::math::{exp4, ln, sigmoid4, tanh4};
use crate::simd::{map, F4};
use crate::team::Team;

/// x, y: [count]; function: its place in core's list
pub unsafe fn unary(team: &Team, function: u32, x: *const f32, y: *mut f32, count: usize) {
    team.share(count, 4, |begin, end| apply(function, x.add(begin), y.add(begin), end - begin));
}

unsafe fn apply(function: u32, x: *const f32, y: *mut f32, count: usize) {
    match function {
        0 => map(x, y, count, |v| -v),
        1 => map(x, y, count, F4::abs),
        2 => map(x, y, count, exp4),
        3 => {
            for i in 0..count {
                *y.add(i) = ln(*x.add(i));
            }
        }
        4 => map(x, y, count, F4::sqrt),
        5 => map(x, y, count, |v| F4::splat(1.0) / v),
        6 => map(x, y, count, sigmoid4),
        7 => map(x, y, count, tanh4),
        _ => map(x, y, count, |v| v.at_least(F4::zero())),
    }
}
