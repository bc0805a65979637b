//! Half-precision numbers, and the form in which kernels hold them.
//!
//! A **raised** half has the bits of an IEEE half, but its exponent stands for 2^-24 to 2^6: every half whose size is
//! below 128 has one, also the subnormal ones, which become normal. So a shift and a mask make an f32 of it that is
//! 2^-102 of its value, without a subnormal number on the way (those are slow) and without a multiplication: whoever
//! takes the sum of products scales that, or the other factor, once.

/// What an f32 made of a raised half's bits is multiplied by: 2^102.
pub const RAISED: f32 = f32::from_bits((127 + 102) << 23);

/// How far the exponent is moved.
const SHIFT: u16 = 10;

/// The raised form of an IEEE half; None when its size is 128 or more, infinite or NaN.
pub fn raise(bits: u16) -> Option<u16> {
    let (sign, exponent, fraction) = (bits & 0x8000, bits >> 10 & 31, bits & 1023);
    if exponent != 0 {
        let raised = exponent + SHIFT;
        return (raised < 32).then_some(sign | raised << 10 | fraction);
    }
    if fraction == 0 {
        return Some(sign);
    }
    let top = 15 - fraction.leading_zeros() as u16;
    Some(sign | (top + 1) << 10 | (fraction << (10 - top) & 1023))
}

/// The value of the bits of an IEEE half.
pub fn half_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let size = u32::from(bits & 0x7fff);
    let value = if size >= 0x7c00 {
        f32::from_bits(size << 13 | 0x7f80_0000)
    } else {
        // 2^112 moves the exponent's zero from half's to f32's; subnormals come out right.
        f32::from_bits(size << 13) * f32::from_bits((127 + 112) << 23)
    };
    f32::from_bits(value.to_bits() | sign)
}

/// The value of the bits of a bfloat16.
pub fn bfloat_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(bits: u16) -> f64 {
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let size = match exponent {
            0 => fraction * 2f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
        };
        if bits >> 15 != 0 {
            -size
        } else {
            size
        }
    }

    #[test]
    fn every_half_keeps_its_value() {
        for bits in 0..=u16::MAX {
            let value = exact(bits);
            let own = f64::from(half_to_f32(bits));
            assert!(own == value || own.is_nan() && value.is_nan(), "{bits:04x}");
            match raise(bits) {
                None => assert!(value.is_nan() || value.abs() >= 128.0, "{bits:04x}"),
                Some(raised) => {
                    let word = u32::from(raised & 0x7fff) << 13 | u32::from(raised & 0x8000) << 16;
                    let held = f32::from_bits(word);
                    assert!(held == 0.0 || held.is_normal());
                    assert_eq!(f64::from(held) * f64::from(RAISED), value, "{bits:04x}");
                }
            }
        }
    }
}
