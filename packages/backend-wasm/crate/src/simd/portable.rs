//! Arrays, for `cargo test`.

use super::LANES;
use core::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

#[derive(Clone, Copy)]
pub struct F4([f32; LANES]);

#[derive(Clone, Copy)]
pub struct Mask([bool; LANES]);

impl F4 {
    pub fn splat(x: f32) -> F4 {
        F4([x; LANES])
    }

    pub unsafe fn load(from: *const f32) -> F4 {
        F4(core::ptr::read_unaligned(from as *const [f32; LANES]))
    }

    pub unsafe fn load_splat(from: *const f32) -> F4 {
        F4::splat(from.read_unaligned())
    }

    pub unsafe fn store(self, to: *mut f32) {
        core::ptr::write_unaligned(to as *mut [f32; LANES], self.0)
    }

    pub fn lanes(self) -> [f32; LANES] {
        self.0
    }

    pub fn max(self, other: F4) -> F4 {
        self.zip(other, |a, b| if a.is_nan() { a } else { a.max(b) })
    }

    pub fn min(self, other: F4) -> F4 {
        self.zip(other, |a, b| if a.is_nan() { a } else { a.min(b) })
    }

    pub fn abs(self) -> F4 {
        F4(self.0.map(f32::abs))
    }

    pub fn sqrt(self) -> F4 {
        F4(self.0.map(f32::sqrt))
    }

    pub fn nearest(self) -> F4 {
        F4(self.0.map(f32::round_ties_even))
    }

    pub fn at_least(self, least: F4) -> F4 {
        self.zip(least, |a, b| if a < b { b } else { a })
    }

    pub fn at_most(self, most: F4) -> F4 {
        self.zip(most, |a, b| if b < a { b } else { a })
    }

    pub fn bits(self) -> I4 {
        I4(self.0.map(|x| x.to_bits() as i32))
    }

    pub fn eq(self, other: F4) -> Mask {
        Mask(core::array::from_fn(|i| self.0[i] == other.0[i]))
    }

    pub fn le(self, other: F4) -> Mask {
        Mask(core::array::from_fn(|i| self.0[i] <= other.0[i]))
    }

    pub fn lt(self, other: F4) -> Mask {
        Mask(core::array::from_fn(|i| self.0[i] < other.0[i]))
    }

    fn zip(self, other: F4, f: impl Fn(f32, f32) -> f32) -> F4 {
        F4(core::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Mask {
    pub fn of_whole(x: F4) -> Mask {
        Mask(x.0.map(|x| x.to_bits() != 0))
    }

    pub fn whole(self) -> F4 {
        F4(self.0.map(|holds| f32::from_bits(u32::from(holds))))
    }

    pub fn select(self, a: F4, b: F4) -> F4 {
        F4(core::array::from_fn(|i| if self.0[i] { a.0[i] } else { b.0[i] }))
    }
}

macro_rules! operators {
    ($($type:ident, $operator:ident, $method:ident, $f:expr;)*) => {$(
        impl $operator for $type {
            type Output = $type;
            fn $method(self, other: $type) -> $type {
                $type(core::array::from_fn(|i| $f(self.0[i], other.0[i])))
            }
        }
    )*};
}

operators! {
    F4, Add, add, |a: f32, b: f32| a + b;
    F4, Sub, sub, |a: f32, b: f32| a - b;
    F4, Mul, mul, |a: f32, b: f32| a * b;
    F4, Div, div, |a: f32, b: f32| a / b;
    F4, BitAnd, bitand, |a: f32, b: f32| f32::from_bits(a.to_bits() & b.to_bits());
    I4, Add, add, |a: i32, b: i32| a.wrapping_add(b);
    I4, Sub, sub, |a: i32, b: i32| a.wrapping_sub(b);
    I4, BitAnd, bitand, |a: i32, b: i32| a & b;
    S8, BitAnd, bitand, |a: i16, b: i16| a & b;
    S8, BitOr, bitor, |a: i16, b: i16| a | b;
    S8, Add, add, |a: i16, b: i16| a.wrapping_add(b);
    S8, Sub, sub, |a: i16, b: i16| a.wrapping_sub(b);
}

#[derive(Clone, Copy)]
pub struct I4([i32; LANES]);

impl I4 {
    pub fn splat(x: i32) -> I4 {
        I4([x; LANES])
    }

    pub unsafe fn load(from: *const u8) -> I4 {
        I4(core::ptr::read_unaligned(from as *const [i32; LANES]))
    }

    pub unsafe fn load_halves(from: *const u8) -> I4 {
        I4(core::ptr::read_unaligned(from as *const [i16; LANES]).map(i32::from))
    }

    pub unsafe fn store(self, to: *mut u8) {
        core::ptr::write_unaligned(to as *mut [i32; LANES], self.0)
    }

    pub fn shift_left(self, bits: u32) -> I4 {
        I4(self.0.map(|x| x << bits))
    }

    pub fn shift_right(self, bits: u32) -> I4 {
        I4(self.0.map(|x| x >> bits))
    }

    pub fn as_floats(self) -> F4 {
        F4(self.0.map(|x| f32::from_bits(x as u32)))
    }

    pub fn to_floats(self) -> F4 {
        F4(self.0.map(|x| x as f32))
    }

    pub fn narrow(self, high: I4) -> S8 {
        let held = |x: i32| x.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        S8(core::array::from_fn(|i| held(if i < LANES { self.0[i] } else { high.0[i - LANES] })))
    }

    pub fn sums(of: [I4; 4]) -> I4 {
        I4(of.map(|I4([a, b, c, d])| a + c + (b + d)))
    }
}

#[derive(Clone, Copy)]
pub struct S8([i16; 2 * LANES]);

impl S8 {
    pub fn splat(x: i16) -> S8 {
        S8([x; 2 * LANES])
    }

    pub unsafe fn load(from: *const i16) -> S8 {
        S8(core::ptr::read_unaligned(from as *const [i16; 2 * LANES]))
    }

    pub unsafe fn load_bytes(from: *const i8) -> S8 {
        S8(core::ptr::read_unaligned(from as *const [i8; 2 * LANES]).map(i16::from))
    }

    pub unsafe fn store(self, to: *mut i16) {
        core::ptr::write_unaligned(to as *mut [i16; 2 * LANES], self.0)
    }

    pub fn below(self, other: S8) -> S8 {
        S8(core::array::from_fn(|i| if (self.0[i] as u16) < other.0[i] as u16 { -1 } else { 0 }))
    }

    pub fn all(self) -> bool {
        self.0.into_iter().all(|lane| lane != 0)
    }

    pub fn interleaved(self) -> S8 {
        S8([0, 4, 1, 5, 2, 6, 3, 7].map(|i: usize| self.0[i]))
    }

    pub fn pairs(a: i16, b: i16) -> S8 {
        S8(core::array::from_fn(|i| if i % 2 == 0 { a } else { b }))
    }

    pub fn zip(self, other: S8) -> [S8; 2] {
        [0, LANES].map(|from| S8(core::array::from_fn(|i| [self, other][i % 2].0[from + i / 2])))
    }

    pub fn bytes(self, other: S8) -> [S8; 2] {
        let byte = |which: usize, i: usize| [self, other][i / (2 * LANES)].0[i % (2 * LANES)].to_le_bytes()[which];
        [0, 1]
            .map(|which| S8(core::array::from_fn(|i| i16::from_le_bytes([byte(which, 2 * i), byte(which, 2 * i + 1)]))))
    }

    pub fn lanes(self) -> [i16; 2 * LANES] {
        self.0
    }

    pub fn shr_zero(self, bits: u32) -> S8 {
        S8(self.0.map(|x| (x as u16 >> bits) as i16))
    }

    pub fn dot(self, other: S8) -> I4 {
        let product = |i: usize| i32::from(self.0[i]) * i32::from(other.0[i]);
        I4(core::array::from_fn(|i| product(2 * i) + product(2 * i + 1)))
    }

    pub fn widen(self) -> [I4; 2] {
        [0, LANES].map(|from| I4(core::array::from_fn(|i| i32::from(self.0[from + i]))))
    }
}

impl F4 {
    pub fn to_whole(self) -> I4 {
        I4(self.0.map(|x| x as i32))
    }

    pub fn in_turns(self, other: F4) -> [F4; 2] {
        [0, 2].map(|from| F4(core::array::from_fn(|i| [self, other][i % 2].0[from + i / 2])))
    }

    pub unsafe fn store_halves(self, low: *mut f32, high: *mut f32) {
        let [a, b, c, d] = self.0;
        core::ptr::write_unaligned(low as *mut [f32; 2], [a, b]);
        core::ptr::write_unaligned(high as *mut [f32; 2], [c, d]);
    }

    pub fn transposed(rows: [F4; 4]) -> [F4; 4] {
        core::array::from_fn(|j| F4(core::array::from_fn(|i| rows[i].0[j])))
    }

    pub fn sums(of: [F4; 4]) -> F4 {
        F4(of.map(|F4([a, b, c, d])| (a + c) + (b + d)))
    }

    pub fn plus_product(self, a: F4, b: F4) -> F4 {
        self + a * b
    }
}

#[derive(Clone, Copy)]
pub struct D4([f64; LANES]);

impl D4 {
    pub fn widen(x: F4) -> D4 {
        D4(x.0.map(f64::from))
    }

    pub fn narrow(self) -> F4 {
        F4(self.0.map(|x| x as f32))
    }

    pub unsafe fn load(from: *const f32) -> D4 {
        D4(core::ptr::read_unaligned(from as *const [f64; LANES]))
    }

    pub unsafe fn store(self, to: *mut f32) {
        core::ptr::write_unaligned(to as *mut [f64; LANES], self.0)
    }

    pub fn lanes(self) -> [f64; LANES] {
        self.0
    }

    pub fn scaled(self, scale: f64) -> D4 {
        D4(self.0.map(|x| x * scale))
    }

    pub fn at_least(self, least: D4) -> D4 {
        D4(core::array::from_fn(|i| if self.0[i] < least.0[i] { least.0[i] } else { self.0[i] }))
    }
}

impl Add for D4 {
    type Output = D4;
    fn add(self, other: D4) -> D4 {
        D4(core::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl Sub for D4 {
    type Output = D4;
    fn sub(self, other: D4) -> D4 {
        D4(core::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}
