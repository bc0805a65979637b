use crate::simd::{sqrt, F4, LANES};
use crate::team::Team;

/// x, y: [rows, groups · width]; w, b: [groups · width]
pub unsafe fn group_norm(
    team: &Team,
    x: *const f32,
    w: *const f32,
    b: *const f32,
    y: *mut f32,
    rows: usize,
    groups: usize,
    width: usize,
    eps: f32,
) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            for group in 0..groups {
                let channel = group * width;
                let at = row * groups * width + channel;
                norm(x.add(at), w.add(channel), b.add(channel), y.add(at), width, eps);
            }
        }
    });
}

/// y = (x − mean) / sqrt(var + eps) · w + b. x, w, b, y: [width]
unsafe fn norm(x: *const f32, w: *const f32, b: *const f32, y: *mut f32, width: usize, eps: f32) {
    let count = width as f32;
    let mean = sum(x, width, |v| v) / count;
    let centre = F4::splat(mean);
    let variance = sum(x, width, |v| (v - centre) * (v - centre)) / count;
    let scale = F4::splat(1.0 / sqrt(variance + eps));
    let whole = F4::lanes_before(width);
    let mut i = 0;
    while i < whole {
        let normed = (F4::load(x.add(i)) - centre) * scale;
        (normed * F4::load(w.add(i)) + F4::load(b.add(i))).store(y.add(i));
        i += LANES;
    }
    while i < width {
        *y.add(i) = (*x.add(i) - mean) * scale.first() * *w.add(i) + *b.add(i);
        i += 1;
    }
}

/// Σ f(x) of `count` numbers.
#[inline(always)]
pub unsafe fn sum(x: *const f32, count: usize, f: impl Fn(F4) -> F4) -> f32 {
    let whole = F4::lanes_before(count);
    let mut sums = F4::zero();
    let mut i = 0;
    while i < whole {
        sums = sums + f(F4::load(x.add(i)));
        i += LANES;
    }
    let mut total = sums.sum();
    while i < count {
        total += f(F4::splat(*x.add(i))).first();
        i += 1;
    }
    total
}
