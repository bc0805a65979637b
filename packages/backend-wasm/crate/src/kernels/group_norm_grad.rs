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
                let mut sum = D4::zero();
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

/// Calls f(c, how many numbers there are from c on) for all c in steps of four.
#[inline(always)]
fn each(width: usize, mut f: impl FnMut(usize, usize)) {
    let whole = F4::lanes_before(width);
    for c in (0..whole).step_by(LANES) {
        f(c, LANES);
    }
    if whole < width {
        f(whole, width - whole);
    }
}

/// One group of one row. All: [width]
#[inline(always)]
unsafe fn one(x: *const f32, w: *const f32, gy: *const f32, gx: *mut f32, to: &Sums, width: usize, eps: f32) {
    let mean = |sum: F4| F4::splat(sum.sum() / width as f32);
    let mut sum = F4::zero();
    each(width, |c, some| sum = sum + F4::load_some(x.add(c), some));
    let centre = mean(sum);
    // Zeros where no number is.
    let centred = |c: usize, some: usize| {
        if some >= LANES {
            return F4::load(x.add(c)) - centre;
        }
        let mut lanes = (F4::load_some(x.add(c), some) - centre).lanes();
        lanes.iter_mut().skip(some).for_each(|lane| *lane = 0.0);
        F4::load(lanes.as_ptr())
    };
    let h = |c: usize, some: usize| F4::load_some(gy.add(c), some) * F4::load_some(w.add(c), some);
    let [mut squares, mut sum, mut products] = [F4::zero(); 3];
    each(width, |c, some| {
        let (x, h) = (centred(c, some), h(c, some));
        squares = squares.plus_product(x, x);
        sum = sum + h;
        products = products.plus_product(x, h);
    });
    let scale = F4::splat(1.0 / sqrt(mean(squares).first() + eps));
    let (of_mean, slope) = (mean(sum), mean(products) * scale);
    each(width, |c, some| {
        let (normed, g) = (centred(c, some) * scale, F4::load_some(gy.add(c), some));
        ((h(c, some) - of_mean - normed * slope) * scale).store_some(gx.add(c), some);
        (F4::load_some(to.w.add(c), some) + g * normed).store_some(to.w.add(c), some);
        (F4::load_some(to.b.add(c), some) + g).store_some(to.b.add(c), some);
    });
}
