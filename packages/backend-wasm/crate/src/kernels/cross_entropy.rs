use crate::kernels::softmax::largest;
use crate::math::{exp, exp4, ln};
use crate::sequences::bounded;
use crate::simd::{D4, F4, LANES};
use crate::team::Team;

/// logits: [rows, width]; targets: i32 [rows], negative to leave the row out; y: [rows]
pub unsafe fn cross_entropy(
    team: &Team,
    logits: *const f32,
    targets: *const i32,
    y: *mut f32,
    rows: usize,
    width: usize,
) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let (x, target) = (logits.add(row * width), *targets.add(row));
            *y.add(row) = if target < 0 || width == 0 {
                0.0
            } else {
                let most = largest(x, width);
                ln(total_exp(x, width, most) as f32) - (*x.add(bounded(target, width - 1)) - most)
            };
        }
    });
}

/// Σ e^(x − most) of `count` numbers, in f64.
unsafe fn total_exp(x: *const f32, count: usize, most: f32) -> f64 {
    let whole = F4::lanes_before(count);
    let mut sums = D4::zero();
    for i in (0..whole).step_by(LANES) {
        sums = sums + D4::widen(exp4(F4::load(x.add(i)) - F4::splat(most)));
    }
    let mut sum = sums.sum();
    for i in whole..count {
        sum += f64::from(exp(*x.add(i) - most));
    }
    sum
}
