use crate::simd::{sqrt, D4, F4, LANES, LINE};
use crate::team::Team;

/// Rows whose gradients of w and b are summed by one thread, so that no sum depends on the number of threads.
const ROWS: usize = 32;

/// The f32 of scratch, for all threads together.
pub const fn scratch(rows: usize, channels: usize) -> usize {
    rows.div_ceil(ROWS) * 2 * channels
}

/// x, gy, gx: [rows, groups · width]; w, gw, gb: [groups · width]; scratch: `scratch`. Threads share the rows.
pub unsafe fn group_norm_grad(
    team: &Team,
    x: *const f32,
    w: *const f32,
    gy: *const f32,
    gx: *mut f32,
    gw: *mut f32,
    gb: *mut f32,
    scratch: *mut f32,
    rows: usize,
    groups: usize,
    width: usize,
    eps: f32,
) {
    let channels = groups * width;
    let blocks = rows.div_ceil(ROWS);
    team.share(blocks, 1, |first, last| {
        for block in first..last {
            let of_w = scratch.add(block * 2 * channels);
            core::ptr::write_bytes(of_w, 0, 2 * channels);
            for row in block * ROWS..rows.min((block + 1) * ROWS) {
                for group in 0..groups {
                    let channel = group * width;
                    let at = row * channels + channel;
                    let to = Sums { w: of_w.add(channel), b: of_w.add(channels + channel) };
                    one(x.add(at), w.add(channel), gy.add(at), gx.add(at), &to, width, eps);
                }
            }
        }
    });
    team.barrier();
    team.share(channels, LINE, |first, last| {
        for c in (first..last).step_by(LANES) {
            let some = last - c;
            for (from, to) in [(scratch.add(c), gw), (scratch.add(channels + c), gb)] {
                let mut sum = D4::widen(F4::zero());
                for block in 0..blocks {
                    sum = sum + D4::widen(F4::load_some(from.add(block * 2 * channels), some));
                }
                sum.narrow().store_some(to.add(c), some);
            }
        }
    });
}

/// Sums over rows so far. [width]
struct Sums {
    w: *mut f32,
    b: *mut f32,
}

/// The mean of f(c, how many numbers there are from c on) over all c in steps of four; f gives zeros where no number is.
#[inline(always)]
unsafe fn mean_of(width: usize, f: impl Fn(usize, usize) -> F4) -> F4 {
    let mut sum = F4::zero();
    for c in (0..width).step_by(LANES) {
        sum = sum + f(c, width - c);
    }
    F4::splat(sum.sum() / width as f32)
}

/// One group of one row. All: [width]
#[inline(always)]
unsafe fn one(x: *const f32, w: *const f32, gy: *const f32, gx: *mut f32, to: &Sums, width: usize, eps: f32) {
    let mean = mean_of(width, |c, some| F4::load_some(x.add(c), some));
    let centred = |c: usize, some: usize| {
        if some >= LANES {
            return F4::load(x.add(c)) - mean;
        }
        let mut lanes = (F4::load_some(x.add(c), some) - mean).lanes();
        for lane in lanes.iter_mut().skip(some) {
            *lane = 0.0;
        }
        F4::load(lanes.as_ptr())
    };
    let variance = mean_of(width, |c, some| {
        let x = centred(c, some);
        x * x
    });
    let scale = F4::splat(1.0 / sqrt(variance.first() + eps));
    let h = |c: usize, some: usize| F4::load_some(gy.add(c), some) * F4::load_some(w.add(c), some);
    let of_mean = mean_of(width, h);
    let slope = mean_of(width, |c, some| h(c, some) * (centred(c, some) * scale));
    for c in (0..width).step_by(LANES) {
        let some = width - c;
        let (normed, g) = (centred(c, some) * scale, F4::load_some(gy.add(c), some));
        ((h(c, some) - of_mean - normed * slope) * scale).store_some(gx.add(c), some);
        (F4::load_some(to.w.add(c), some) + g * normed).store_some(to.w.add(c), some);
        (F4::load_some(to.b.add(c), some) + g).store_some(to.b.add(c), some);
    }
}
