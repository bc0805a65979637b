use crate::math::exp4;
use crate::simd::{map, F4, LANES};
use crate::team::Team;

/// x, y: [rows, width]
pub unsafe fn softmax(team: &Team, x: *const f32, y: *mut f32, rows: usize, width: usize) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let (x, y) = (x.add(row * width), y.add(row * width));
            let most = F4::splat(largest(x, width));
            map(x, y, width, |v| exp4(v - most));
            let scale = F4::splat((1.0 / total(y, width)) as f32);
            map(y, y, width, |v| v * scale);
        }
    });
}

/// The largest of `count` numbers, minus infinity of none.
pub unsafe fn largest(x: *const f32, count: usize) -> f32 {
    let whole = F4::lanes_before(count);
    let mut most = F4::splat(f32::NEG_INFINITY);
    let mut i = 0;
    while i < whole {
        most = most.max(F4::load(x.add(i)));
        i += LANES;
    }
    while i < count {
        most = most.max(F4::splat(*x.add(i)));
        i += 1;
    }
    most.lanes().into_iter().fold(f32::NEG_INFINITY, |a, b| F4::splat(a).max(F4::splat(b)).first())
}

/// The largest |x| of `count` numbers, 0 of none; NaN when one is.
pub unsafe fn largest_size(x: *const f32, count: usize) -> f32 {
    let whole = F4::lanes_before(count);
    let mut most = F4::zero();
    let mut i = 0;
    while i < whole {
        most = most.max(F4::load(x.add(i)).abs());
        i += LANES;
    }
    while i < count {
        most = most.max(F4::splat(*x.add(i)).abs());
        i += 1;
    }
    most.lanes().into_iter().fold(0.0, |a, b| F4::splat(a).max(F4::splat(b)).first())
}

/// Σ x of `count` numbers, in f64: a vocabulary is long.
pub unsafe fn total(x: *const f32, count: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..count {
        sum += f64::from(*x.add(i));
    }
    sum
}
