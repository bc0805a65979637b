use crate::axes::Axes;
use crate::simd::{F4, LANES};
use crate::team::Team;

/// a, b: strided; y: contiguous over the axes; function: its place in core's list
pub unsafe fn binary(
    team: &Team,
    function: u32,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    axes: *const u64,
    _: usize,
) {
    let axes = Axes::<2>::read(axes);
    match function {
        0 => apply(team, &axes, a, b, y, |p, q| p + q),
        1 => apply(team, &axes, a, b, y, |p, q| p - q),
        2 => apply(team, &axes, a, b, y, |p, q| p * q),
        3 => apply(team, &axes, a, b, y, |p, q| p / q),
        4 => apply(team, &axes, a, b, y, F4::min),
        _ => apply(team, &axes, a, b, y, F4::max),
    }
}

#[inline(always)]
unsafe fn apply(team: &Team, axes: &Axes<2>, a: *const f32, b: *const f32, y: *mut f32, f: impl Fn(F4, F4) -> F4) {
    let width = axes.width();
    let [a_step, b_step] = axes.steps();
    axes.share(team, |row, [a_at, b_at], begin, end| {
        let (a, b, y) = (a.add(a_at), b.add(b_at), y.add(row * width));
        let whole = begin + F4::lanes_before(end - begin);
        let mut i = begin;
        while i < whole {
            f(four(a, i, a_step), four(b, i, b_step)).store(y.add(i));
            i += LANES;
        }
        while i < end {
            *y.add(i) = f(F4::splat(*a.add(i * a_step)), F4::splat(*b.add(i * b_step))).first();
            i += 1;
        }
    });
}

/// Elements i to i + 3 of a row whose step is 0 (one number throughout) or 1.
#[inline(always)]
unsafe fn four(x: *const f32, i: usize, step: usize) -> F4 {
    if step == 0 {
        F4::splat(*x)
    } else {
        F4::load(x.add(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_channels_meets_every_token() {
        let a: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let b = [1.0, 10.0, 100.0, 1000.0, 10000.0];
        let mut y = [0.0; 10];
        // [2, 5] and [5]
        unsafe {
            binary(&Team::alone(), 2, a.as_ptr(), b.as_ptr(), y.as_mut_ptr(), [2, 2, 5, 5, 1, 0, 1].as_ptr(), 10)
        };
        assert_eq!(y, [0.0, 10.0, 200.0, 3000.0, 40000.0, 5.0, 60.0, 700.0, 8000.0, 90000.0]);
        // [2, 5] and [2, 1]
        unsafe {
            binary(&Team::alone(), 1, a.as_ptr(), b.as_ptr(), y.as_mut_ptr(), [2, 2, 5, 5, 1, 1, 0].as_ptr(), 10)
        };
        assert_eq!(y, [-1.0, 0.0, 1.0, 2.0, 3.0, -5.0, -4.0, -3.0, -2.0, -1.0]);
    }
}
