use crate::kernels::argmax::first_largest;
use crate::kernels::softmax::{largest, total};
use crate::math::{exp, exp4};
use crate::simd::{map, F4};
use crate::team::Team;

/// Numbers a row of `parameters` has.
const COLUMNS: usize = 8;

/// One row of `parameters`, in the order of its columns.
struct Settings {
    temperature: f32,
    top_k: f32,
    top_p: f32,
    min_p: f32,
    presence: f32,
    frequency: f32,
    repetition: f32,
    decay: f32,
}

/// logits, counts, counts_after: [rows, width]; parameters: [rows, 8]; u: [rows]; token: i32 [rows];
/// scratch: [threads, 2, width]
pub unsafe fn sample(
    team: &Team,
    logits: *const f32,
    parameters: *const f32,
    counts: *const f32,
    u: *const f32,
    token: *mut i32,
    counts_after: *mut f32,
    scratch: *mut f32,
    rows: usize,
    width: usize,
) {
    let scratch = scratch.add(team.id * 2 * width);
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let p = parameters.add(row * COLUMNS);
            let settings = Settings {
                temperature: *p,
                top_k: *p.add(1),
                top_p: *p.add(2),
                min_p: *p.add(3),
                presence: *p.add(4),
                frequency: *p.add(5),
                repetition: *p.add(6),
                decay: *p.add(7),
            };
            let (before, after) = (counts.add(row * width), counts_after.add(row * width));
            penalise(logits.add(row * width), before, scratch, width, &settings);
            let drawn = draw(scratch, scratch.add(width), width, &settings, *u.add(row));
            map(before, after, width, |count| count * F4::splat(settings.decay));
            if drawn < width {
                *after.add(drawn) += 1.0;
            }
            *token.add(row) = drawn as i32;
        }
    });
}

/// logits, counts, penalised: [width]
unsafe fn penalise(logits: *const f32, counts: *const f32, penalised: *mut f32, width: usize, settings: &Settings) {
    for v in 0..width {
        let (mut logit, count) = (*logits.add(v), *counts.add(v));
        if count > 0.0 {
            logit = if logit > 0.0 { logit / settings.repetition } else { logit * settings.repetition };
            logit -= settings.presence + settings.frequency * count;
        }
        // 0 and -0 are one logit.
        *penalised.add(v) = logit + 0.0;
    }
}

/// logits: [width]; weights: [width], overwritten
unsafe fn draw(logits: *const f32, weights: *mut f32, width: usize, settings: &Settings, u: f32) -> usize {
    let best = first_largest(logits, width);
    if settings.temperature == 0.0 || width == 0 {
        return best;
    }
    let most = F4::splat(largest(logits, width));
    map(logits, weights, width, |v| exp4(v - most));
    // Kept: the rank of the logit is at least `rank`, its weight (its share of the largest probability) at least min_p.
    let mut rank = 0;
    if settings.top_k >= 1.0 {
        // Half a count less: the sum of counts is reached however it is rounded.
        let goal = f64::from(settings.top_k as u32) - 0.5;
        rank = threshold(logits, width, goal, |_| 1.0);
    }
    if settings.top_p < 1.0 {
        let goal = f64::from(settings.top_p) * total(weights, width);
        rank = rank.max(threshold(logits, width, goal, |v| f64::from(*weights.add(v))));
    }
    let inverse = 1.0 / settings.temperature;
    for v in 0..width {
        let kept = v == best || (rank_of(*logits.add(v)) >= rank && *weights.add(v) >= settings.min_p);
        *weights.add(v) = if kept { exp((*logits.add(v) - most.first()) * inverse) } else { -1.0 };
    }
    inverse_distribution(weights, width, u).unwrap_or(best)
}

/// The least v with q[0] + … + q[v] > u · Σ q; the last kept one when rounding exhausts the sum. q: [width], -1 where
/// not kept
unsafe fn inverse_distribution(q: *const f32, width: usize, u: f32) -> Option<usize> {
    let kept = || (0..width).filter(|&v| *q.add(v) >= 0.0);
    let goal = f64::from(u) * kept().map(|v| f64::from(*q.add(v))).sum::<f64>();
    let mut sum = 0.0;
    let mut last = None;
    for v in kept() {
        sum += f64::from(*q.add(v));
        last = Some(v);
        if sum > goal {
            break;
        }
    }
    last
}

/// A whole number that orders like the float.
fn rank_of(x: f32) -> u32 {
    let bits = x.to_bits();
    bits ^ if bits >> 31 != 0 { u32::MAX } else { 1 << 31 }
}

/// The largest rank such that the weights of the logits of at least that rank sum to `goal`; the smallest rank there
/// is when all together do not. Found byte by byte, so that nothing is sorted. logits: [width]
unsafe fn threshold(logits: *const f32, width: usize, goal: f64, weight: impl Fn(usize) -> f64) -> u32 {
    let mut rank = 0;
    let mut above = 0.0;
    for shift in [24, 16, 8, 0] {
        let mut sums = [0.0f64; 256];
        let mut present = [false; 256];
        for v in 0..width {
            let candidate = rank_of(*logits.add(v));
            if u64::from(candidate ^ rank) >> (shift + 8) == 0 {
                let byte = (candidate >> shift & 255) as usize;
                sums[byte] += weight(v);
                present[byte] = true;
            }
        }
        let lowest = present.iter().position(|&there| there).unwrap_or(0);
        let mut byte = 255;
        while byte > lowest {
            if present[byte] && above + sums[byte] >= goal {
                break;
            }
            above += sums[byte];
            byte -= 1;
        }
        rank |= (byte as u32) << shift;
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [1.0, 3.0, 2.0, 3.0, -4.0];

    fn kept_from(goal: f64, weight: impl Fn(usize) -> f64) -> f32 {
        let rank = unsafe { threshold(LOGITS.as_ptr(), 5, goal, weight) };
        LOGITS.into_iter().filter(|&x| rank_of(x) >= rank).fold(f32::INFINITY, f32::min)
    }

    #[test]
    fn thresholds_are_those_of_a_sorted_list() {
        let kept = [0.5, 1.5, 2.5, 3.5, 4.5, 99.0].map(|goal| kept_from(goal, |_| 1.0));
        assert_eq!(kept, [3.0, 3.0, 2.0, 1.0, -4.0, -4.0]);
        let kept = [0.0, 0.5, 0.9, 1.0].map(|goal| kept_from(goal, |v| [0.05, 0.4, 0.15, 0.4, 0.0][v]));
        assert_eq!(kept, [3.0, 3.0, 2.0, 1.0]);
    }

    fn drawn(settings: [f32; 8], counts: [f32; 5], u: f32) -> (i32, [f32; 5]) {
        let (mut token, mut after, mut scratch) = ([-1], [0.0; 5], [0.0; 10]);
        unsafe {
            let (settings, counts, u) = (settings.as_ptr(), counts.as_ptr(), [u]);
            let (after, scratch) = (after.as_mut_ptr(), scratch.as_mut_ptr());
            sample(
                &Team::alone(),
                LOGITS.as_ptr(),
                settings,
                counts,
                u.as_ptr(),
                token.as_mut_ptr(),
                after,
                scratch,
                1,
                5,
            );
        }
        (token[0], after)
    }

    #[test]
    fn draws_among_what_is_kept() {
        let greedy = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.5];
        assert_eq!(drawn(greedy, [2.0, 0.0, 0.0, 0.0, 0.0], 0.9), (1, [1.0, 1.0, 0.0, 0.0, 0.0]));
        let one = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        assert_eq!([drawn(one, [0.0; 5], 0.0).0, drawn(one, [0.0; 5], 0.999).0], [1, 3]);
        let all = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        assert_eq!([drawn(all, [0.0; 5], 0.0).0, drawn(all, [0.0; 5], 0.999_999).0], [0, 4]);
        let penalised = [0.0, 0.0, 1.0, 0.0, 1.0, 0.5, 1.0, 1.0];
        assert_eq!(drawn(penalised, [0.0, 1.0, 0.0, 0.0, 0.0], 0.0).0, 3);
    }
}
