//! One v128 each.

use super::LANES;
use crate::arch::*;
use core::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

#[derive(Clone, Copy)]
pub struct F4(v128);

#[derive(Clone, Copy)]
pub struct Mask(v128);

impl F4 {
    #[inline(always)]
    pub fn splat(x: f32) -> F4 {
        F4(f32x4_splat(x))
    }

    #[inline(always)]
    pub unsafe fn load(from: *const f32) -> F4 {
        F4(v128_load(from as *const v128))
    }

    /// One number, four times.
    #[inline(always)]
    pub unsafe fn load_splat(from: *const f32) -> F4 {
        F4(v128_load32_splat(from as *const u32))
    }

    #[inline(always)]
    pub unsafe fn store(self, to: *mut f32) {
        v128_store(to as *mut v128, self.0)
    }

    #[inline(always)]
    pub fn lanes(self) -> [f32; LANES] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    pub fn max(self, other: F4) -> F4 {
        F4(f32x4_max(self.0, other.0))
    }

    #[inline(always)]
    pub fn min(self, other: F4) -> F4 {
        F4(f32x4_min(self.0, other.0))
    }

    #[inline(always)]
    pub fn abs(self) -> F4 {
        F4(f32x4_abs(self.0))
    }

    #[inline(always)]
    pub fn sqrt(self) -> F4 {
        F4(f32x4_sqrt(self.0))
    }

    /// To the nearest whole number, halves to even.
    #[inline(always)]
    pub fn nearest(self) -> F4 {
        F4(f32x4_nearest(self.0))
    }

    /// `least` where it is less than that; NaN stays. One instruction, where `max` looks at both for NaN.
    #[inline(always)]
    pub fn at_least(self, least: F4) -> F4 {
        F4(f32x4_pmax(self.0, least.0))
    }

    /// `most` where it is more than that; NaN stays.
    #[inline(always)]
    pub fn at_most(self, most: F4) -> F4 {
        F4(f32x4_pmin(self.0, most.0))
    }

    #[inline(always)]
    pub fn bits(self) -> I4 {
        I4(self.0)
    }

    #[inline(always)]
    pub fn eq(self, other: F4) -> Mask {
        Mask(f32x4_eq(self.0, other.0))
    }

    #[inline(always)]
    pub fn le(self, other: F4) -> Mask {
        Mask(f32x4_le(self.0, other.0))
    }

    #[inline(always)]
    pub fn lt(self, other: F4) -> Mask {
        Mask(f32x4_lt(self.0, other.0))
    }
}

impl Mask {
    /// Where an i32 is not 0.
    #[inline(always)]
    pub fn of_whole(x: F4) -> Mask {
        Mask(i32x4_ne(x.0, i32x4_splat(0)))
    }

    /// The bits of the i32 1 where the mask holds, of 0 elsewhere.
    #[inline(always)]
    pub fn whole(self) -> F4 {
        F4(v128_and(self.0, i32x4_splat(1)))
    }

    /// Lane by lane, `a` where the mask holds, else `b`.
    #[inline(always)]
    pub fn select(self, a: F4, b: F4) -> F4 {
        F4(v128_bitselect(a.0, b.0, self.0))
    }
}

macro_rules! operators {
    ($($type:ident, $operator:ident, $method:ident, $intrinsic:ident;)*) => {$(
        impl $operator for $type {
            type Output = $type;
            #[inline(always)]
            fn $method(self, other: $type) -> $type {
                $type($intrinsic(self.0, other.0))
            }
        }
    )*};
}

operators! {
    F4, Add, add, f32x4_add;
    F4, Sub, sub, f32x4_sub;
    F4, Mul, mul, f32x4_mul;
    F4, Div, div, f32x4_div;
    F4, BitAnd, bitand, v128_and;
    I4, Add, add, i32x4_add;
    I4, Sub, sub, i32x4_sub;
    I4, BitAnd, bitand, v128_and;
    S8, BitAnd, bitand, v128_and;
    S8, BitOr, bitor, v128_or;
    S8, Add, add, i16x8_add;
    S8, Sub, sub, i16x8_sub;
}

/// Four f64, for differences of large numbers.
#[derive(Clone, Copy)]
pub struct D4(v128, v128);

impl D4 {
    #[inline(always)]
    pub fn widen(x: F4) -> D4 {
        let high = i64x2_shuffle::<1, 1>(x.0, x.0);
        D4(f64x2_promote_low_f32x4(x.0), f64x2_promote_low_f32x4(high))
    }

    /// To the nearest f32.
    #[inline(always)]
    pub fn narrow(self) -> F4 {
        F4(i64x2_shuffle::<0, 2>(f32x4_demote_f64x2_zero(self.0), f32x4_demote_f64x2_zero(self.1)))
    }

    #[inline(always)]
    pub unsafe fn load(from: *const f32) -> D4 {
        D4(v128_load(from as *const v128), v128_load(from.add(LANES) as *const v128))
    }

    /// Eight words.
    #[inline(always)]
    pub unsafe fn store(self, to: *mut f32) {
        v128_store(to as *mut v128, self.0);
        v128_store(to.add(LANES) as *mut v128, self.1);
    }

    #[inline(always)]
    pub fn lanes(self) -> [f64; LANES] {
        [
            f64x2_extract_lane::<0>(self.0),
            f64x2_extract_lane::<1>(self.0),
            f64x2_extract_lane::<0>(self.1),
            f64x2_extract_lane::<1>(self.1),
        ]
    }

    #[inline(always)]
    pub fn scaled(self, scale: f64) -> D4 {
        D4(f64x2_mul(self.0, f64x2_splat(scale)), f64x2_mul(self.1, f64x2_splat(scale)))
    }

    /// The larger one; where one is NaN, `self`.
    #[inline(always)]
    pub fn at_least(self, least: D4) -> D4 {
        D4(f64x2_pmax(self.0, least.0), f64x2_pmax(self.1, least.1))
    }
}

impl Add for D4 {
    type Output = D4;
    #[inline(always)]
    fn add(self, other: D4) -> D4 {
        D4(f64x2_add(self.0, other.0), f64x2_add(self.1, other.1))
    }
}

impl Sub for D4 {
    type Output = D4;
    #[inline(always)]
    fn sub(self, other: D4) -> D4 {
        D4(f64x2_sub(self.0, other.0), f64x2_sub(self.1, other.1))
    }
}

/// Four i32, or the bits of four f32.
#[derive(Clone, Copy)]
pub struct I4(v128);

impl I4 {
    #[inline(always)]
    pub fn splat(x: i32) -> I4 {
        I4(i32x4_splat(x))
    }

    /// 16 bytes.
    #[inline(always)]
    pub unsafe fn load(from: *const u8) -> I4 {
        I4(v128_load(from as *const v128))
    }

    /// Four numbers of 16 bits, the sign extended.
    #[inline(always)]
    pub unsafe fn load_halves(from: *const u8) -> I4 {
        I4(i32x4_load_extend_i16x4(from as *const i16))
    }

    #[inline(always)]
    pub unsafe fn store(self, to: *mut u8) {
        v128_store(to as *mut v128, self.0)
    }

    #[inline(always)]
    pub fn shift_left(self, bits: u32) -> I4 {
        I4(i32x4_shl(self.0, bits))
    }

    /// The sign moves in.
    #[inline(always)]
    pub fn shift_right(self, bits: u32) -> I4 {
        I4(i32x4_shr(self.0, bits))
    }

    /// The f32 that have these bits.
    #[inline(always)]
    pub fn as_floats(self) -> F4 {
        F4(self.0)
    }

    /// The nearest f32.
    #[inline(always)]
    pub fn to_floats(self) -> F4 {
        F4(f32x4_convert_i32x4(self.0))
    }

    /// Both as eight i16, held within their range.
    #[inline(always)]
    pub fn narrow(self, high: I4) -> S8 {
        S8(i16x8_narrow_i32x4(self.0, high.0))
    }

    /// The sum of each.
    #[inline(always)]
    pub fn sums([a, b, c, d]: [I4; 4]) -> I4 {
        let ab = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
        let cd = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
        I4(i32x4_add(i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd)))
    }
}

/// Eight i16.
#[derive(Clone, Copy)]
pub struct S8(v128);

impl S8 {
    #[inline(always)]
    pub fn splat(x: i16) -> S8 {
        S8(i16x8_splat(x))
    }

    #[inline(always)]
    pub unsafe fn load(from: *const i16) -> S8 {
        S8(v128_load(from as *const v128))
    }

    /// Eight i8, widened.
    #[inline(always)]
    pub unsafe fn load_bytes(from: *const i8) -> S8 {
        S8(i16x8_load_extend_i8x8(from))
    }

    #[inline(always)]
    pub unsafe fn store(self, to: *mut i16) {
        v128_store(to as *mut v128, self.0)
    }

    /// Lane by lane, all bits or none: whether the number, without a sign, is less.
    #[inline(always)]
    pub fn below(self, other: S8) -> S8 {
        S8(u16x8_lt(self.0, other.0))
    }

    /// Whether no lane is 0.
    #[inline(always)]
    pub fn all(self) -> bool {
        i16x8_all_true(self.0)
    }

    /// Lanes 0, 4, 1, 5, 2, 6, 3, 7: of words, the lower halves are the first four.
    #[inline(always)]
    pub fn interleaved(self) -> S8 {
        S8(i16x8_shuffle::<0, 4, 1, 5, 2, 6, 3, 7>(self.0, self.0))
    }

    /// Two numbers in turns.
    #[inline(always)]
    pub fn pairs(a: i16, b: i16) -> S8 {
        S8(i32x4_splat(i32::from(a as u16) | i32::from(b) << 16))
    }

    /// The lanes of both in turns: of the lower four, and of the upper four.
    #[inline(always)]
    pub fn zip(self, other: S8) -> [S8; 2] {
        [
            S8(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(self.0, other.0)),
            S8(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(self.0, other.0)),
        ]
    }

    /// The lower bytes of all lanes of both, and the upper ones.
    #[inline(always)]
    pub fn bytes(self, other: S8) -> [S8; 2] {
        let (a, b) = (self.0, other.0);
        [
            S8(i8x16_shuffle::<0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30>(a, b)),
            S8(i8x16_shuffle::<1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31>(a, b)),
        ]
    }

    #[inline(always)]
    pub fn lanes(self) -> [i16; 2 * LANES] {
        let mut lanes = [0; 2 * LANES];
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes
    }

    /// Zeros move in.
    #[inline(always)]
    pub fn shr_zero(self, bits: u32) -> S8 {
        S8(u16x8_shr(self.0, bits))
    }

    /// The products of both, neighbours added.
    #[inline(always)]
    pub fn dot(self, other: S8) -> I4 {
        I4(i32x4_dot_i16x8(self.0, other.0))
    }

    /// The lower four and the upper four as i32.
    #[inline(always)]
    pub fn widen(self) -> [I4; 2] {
        [I4(i32x4_extend_low_i16x8(self.0)), I4(i32x4_extend_high_i16x8(self.0))]
    }
}

impl F4 {
    /// Truncated and held within the range of i32; 0 of NaN.
    #[inline(always)]
    pub fn to_whole(self) -> I4 {
        I4(i32x4_trunc_sat_f32x4(self.0))
    }

    /// The sum of each.
    #[inline(always)]
    pub fn sums([a, b, c, d]: [F4; 4]) -> F4 {
        let ab = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
        let cd = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
        F4(f32x4_add(i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd)))
    }

    /// The lanes of both in turns: of the lower two, and of the upper two.
    #[inline(always)]
    pub fn in_turns(self, other: F4) -> [F4; 2] {
        [F4(i32x4_shuffle::<0, 4, 1, 5>(self.0, other.0)), F4(i32x4_shuffle::<2, 6, 3, 7>(self.0, other.0))]
    }

    /// The lower two numbers and the upper two, each to a place of their own.
    #[inline(always)]
    pub unsafe fn store_halves(self, low: *mut f32, high: *mut f32) {
        v128_store64_lane::<0>(self.0, low as *mut u64);
        v128_store64_lane::<1>(self.0, high as *mut u64);
    }

    /// Lane j of row i becomes lane i of row j.
    #[inline(always)]
    pub fn transposed([a, b, c, d]: [F4; 4]) -> [F4; 4] {
        let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0));
        let (ef, gh) = (i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
        [
            F4(i64x2_shuffle::<0, 2>(ab, cd)),
            F4(i64x2_shuffle::<1, 3>(ab, cd)),
            F4(i64x2_shuffle::<0, 2>(ef, gh)),
            F4(i64x2_shuffle::<1, 3>(ef, gh)),
        ]
    }

    /// self + a · b, rounded once or twice.
    #[cfg(feature = "relaxed")]
    #[inline(always)]
    pub fn plus_product(self, a: F4, b: F4) -> F4 {
        F4(f32x4_relaxed_madd(a.0, b.0, self.0))
    }

    /// self + a · b
    #[cfg(not(feature = "relaxed"))]
    #[inline(always)]
    pub fn plus_product(self, a: F4, b: F4) -> F4 {
        self + a * b
    }
}
