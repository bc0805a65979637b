use crate::math::exp4;
use crate::simd::{map, D4, F4, LANES};
use crate::team::Team;

/// x, y: [rows, width]
pub unsafe fn softmax(team: &Team, x: *const f32, y: *mut f32, rows: usize, width: usize) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let (x, y) = (x.add(row * width), y.add(row * width));
            let scale = F4::splat((1.0 / exponentials(x, y, width)) as f32);
            map(y, y, width, |v| v * scale);
        }
    });
}

/// y = e^(x − the largest x); their sum. x, y: [count]
#[inline(never)]
pub unsafe fn exponentials(x: *const f32, y: *mut f32, count: usize) -> f64 {
    let most = F4::splat(largest(x, count));
    map(x, y, count, |v| exp4(v - most));
    total(y, count)
}

/// The largest of `count` numbers, minus infinity of none; NaN when one is.
pub unsafe fn largest(x: *const f32, count: usize) -> f32 {
    const AT_ONCE: usize = 4;
    let mut most = [F4::splat(f32::NEG_INFINITY); AT_ONCE];
    let whole = count - count % (AT_ONCE * LANES);
    for i in (0..whole).step_by(AT_ONCE * LANES) {
        for (k, most) in most.iter_mut().enumerate() {
            *most = most.max(F4::load(x.add(i + k * LANES)));
        }
    }
    for i in whole..count {
        most[0] = most[0].max(F4::splat(*x.add(i)));
    }
    let [a, b, c, d] = most;
    let most = a.max(b).max(c.max(d));
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
    let whole = F4::lanes_before(count);
    let mut sums = D4::zero();
    for i in (0..whole).step_by(LANES) {
        sums = sums + D4::widen(F4::load(x.add(i)));
    }
    let mut sum = sums.sum();
    for i in whole..count {
        sum += f64::from(*x.add(i));
    }
    sum
}
