//! Elementary functions in f32, accurate to two units in the last place. `core` has none without `std`.

use crate::simd::{F4, I4};

/// 1.5 · 2^23: a number of f32 that is added to this is rounded to a whole one, which the lowest bits of the sum tell.
const WHOLE: f32 = 12_582_912.0;

/// e^x. Underflows to 0 (through the subnormals) and overflows to infinity; NaN stays NaN.
/// Source: Cephes expf, with 2^n applied in two halves.
#[inline(always)]
pub fn exp4(x: F4) -> F4 {
    let x = x.at_least(F4::splat(-104.0)).at_most(F4::splat(89.0));
    let raised = F4::splat(WHOLE).plus_product(x, F4::splat(core::f32::consts::LOG2_E));
    let n = raised - F4::splat(WHOLE);
    // ln 2 in two parts, the first of few bits: n · 0.693359375 is exact.
    let r = x.plus_product(n, F4::splat(-0.693_359_4)).plus_product(n, F4::splat(2.121_944_4e-4));
    let mut p = F4::splat(1.987_569_1e-4);
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
        p = F4::splat(c).plus_product(p, r);
    }
    let power = r.plus_product(p, r * r) + F4::splat(1.0);
    let n = raised.bits() - F4::splat(WHOLE).bits();
    let half = n.shift_right(1);
    power * exp2(half) * exp2(n - half)
}

/// 2^n for n from -126 to 127.
#[inline(always)]
fn exp2(n: I4) -> F4 {
    (n + I4::splat(127)).shift_left(23).as_floats()
}

#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp4(F4::splat(x)).first()
}

/// 1 / (1 + e^-x), from 0 to 1 without NaN.
#[inline(always)]
pub fn sigmoid4(x: F4) -> F4 {
    F4::splat(1.0) / (F4::splat(1.0) + exp4(-x))
}

/// Source: Cephes tanhf: a polynomial below 0.625, the exponential above.
#[inline(always)]
pub fn tanh4(x: F4) -> F4 {
    let size = x.abs();
    let z = x * x;
    let mut p = F4::splat(-5.704_988_7e-3);
    for c in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p * z + F4::splat(c);
    }
    let near = x + x * z * p;
    let far = F4::splat(1.0) - F4::splat(2.0) / (exp4(size + size) + F4::splat(1.0));
    let signed = x.lt(F4::zero()).select(-far, far);
    size.lt(F4::splat(0.625)).select(near, signed)
}

/// Natural logarithm; of 0 minus infinity, of a negative number NaN.
/// Source: FreeBSD e_logf.
pub fn ln(x: f32) -> f32 {
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x < 0.0 || x.is_nan() || x == f32::INFINITY {
        return if x < 0.0 { f32::NAN } else { x };
    }
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 33_554_432.0 } else { x };
    // x = 2^k · (1 + f) with 1 + f between sqrt(1/2) and sqrt(2)
    let bits = scaled.to_bits() + (0x3f80_0000 - 0x3f35_04f3);
    let k = (bits >> 23) as i32 - 127 - if subnormal { 25 } else { 0 };
    let f = f32::from_bits((bits & 0x007f_ffff) + 0x3f35_04f3) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let r = w * (0.400_009_72 + w * 0.242_790_79) + z * (0.666_666_6 + w * 0.284_987_87);
    let half = 0.5 * f * f;
    let k = k as f32;
    s * (half + r) + k * 9.058_001e-6 - half + f + k * 0.693_138_1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error in units in the last place over a range.
    fn worst(from: f64, to: f64, own: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        (0..=200_000)
            .map(|i| (from + (to - from) * f64::from(i) / 200_000.0) as f32)
            .map(|x| {
                let right = exact(f64::from(x));
                let unit = f64::from((right as f32).abs().max(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
                (f64::from(own(x)) - right).abs() / unit
            })
            .fold(0.0, f64::max)
    }

    fn of(f: impl Fn(F4) -> F4) -> impl Fn(f32) -> f32 {
        move |x| f(F4::splat(x)).first()
    }

    #[test]
    fn functions_are_accurate_to_two_units() {
        assert!(worst(-87.0, 88.7, exp, f64::exp) < 2.0);
        assert!(worst(-20.0, 20.0, of(tanh4), f64::tanh) < 2.0);
        assert!(worst(-0.01, 0.01, of(tanh4), f64::tanh) < 2.0);
        assert!(worst(-80.0, 80.0, of(sigmoid4), |x| 1.0 / (1.0 + (-x).exp())) < 2.0);
        assert!(worst(1e-6, 1e3, ln, f64::ln) < 2.0);
        assert!(worst(0.9, 1.1, ln, f64::ln) < 2.0);
    }

    #[test]
    fn functions_saturate_without_nan() {
        assert_eq!([exp(-1e30), exp(-200.0), exp(0.0)], [0.0, 0.0, 1.0]);
        assert_eq!([exp(1e30), exp(f32::INFINITY)], [f32::INFINITY; 2]);
        for x in [-1e30, -1e4, -89.0] {
            assert_eq!([of(tanh4)(x), of(tanh4)(-x), of(sigmoid4)(-x)], [-1.0, 1.0, 1.0]);
            assert!(of(sigmoid4)(x).abs() < 1e-38);
        }
        assert_eq!([ln(0.0), ln(1.0), ln(f32::INFINITY)], [f32::NEG_INFINITY, 0.0, f32::INFINITY]);
        assert!(ln(-1.0).is_nan() && exp(f32::NAN).is_nan());
        assert!((f64::from(ln(1e-40)) - f64::from(1e-40f32).ln()).abs() < 1e-5);
    }
}
