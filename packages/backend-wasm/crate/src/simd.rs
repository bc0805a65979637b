//! Four f32 at once: one v128 on WebAssembly, an array elsewhere, so that `cargo test` runs the same kernels.

use core::ops::{Add, BitAnd, Div, Mul, Neg, Sub};

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32::*;

/// How many numbers an `F4` holds.
pub const LANES: usize = 4;

#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy)]
pub struct F4(v128);

#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy)]
pub struct Mask(v128);

#[cfg(target_arch = "wasm32")]
impl F4 {
    #[inline(always)]
    pub fn splat(x: f32) -> F4 {
        F4(f32x4_splat(x))
    }

    #[inline(always)]
    pub unsafe fn load(from: *const f32) -> F4 {
        F4(v128_load(from as *const v128))
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

    /// 2 to the power of a whole number from -126 to 127.
    #[inline(always)]
    pub fn exp2_whole(self) -> F4 {
        let biased = i32x4_add(i32x4_trunc_sat_f32x4(self.0), i32x4_splat(127));
        F4(i32x4_shl(biased, 23))
    }

    #[inline(always)]
    pub fn lt(self, other: F4) -> Mask {
        Mask(f32x4_lt(self.0, other.0))
    }
}

#[cfg(target_arch = "wasm32")]
impl Mask {
    /// Lane by lane, `a` where the mask holds, else `b`.
    #[inline(always)]
    pub fn select(self, a: F4, b: F4) -> F4 {
        F4(v128_bitselect(a.0, b.0, self.0))
    }
}

#[cfg(target_arch = "wasm32")]
macro_rules! operators {
    ($($operator:ident, $method:ident, $intrinsic:ident;)*) => {$(
        impl $operator for F4 {
            type Output = F4;
            #[inline(always)]
            fn $method(self, other: F4) -> F4 {
                F4($intrinsic(self.0, other.0))
            }
        }
    )*};
}

#[cfg(target_arch = "wasm32")]
operators! {
    Add, add, f32x4_add;
    Sub, sub, f32x4_sub;
    Mul, mul, f32x4_mul;
    Div, div, f32x4_div;
    BitAnd, bitand, v128_and;
}

#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy)]
pub struct F4([f32; LANES]);

#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy)]
pub struct Mask([bool; LANES]);

#[cfg(not(target_arch = "wasm32"))]
impl F4 {
    pub fn splat(x: f32) -> F4 {
        F4([x; LANES])
    }

    pub unsafe fn load(from: *const f32) -> F4 {
        F4(core::ptr::read_unaligned(from as *const [f32; LANES]))
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

    pub fn exp2_whole(self) -> F4 {
        F4(self.0.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23)))
    }

    pub fn lt(self, other: F4) -> Mask {
        Mask(core::array::from_fn(|i| self.0[i] < other.0[i]))
    }

    fn zip(self, other: F4, f: impl Fn(f32, f32) -> f32) -> F4 {
        F4(core::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Mask {
    pub fn select(self, a: F4, b: F4) -> F4 {
        F4(core::array::from_fn(|i| if self.0[i] { a.0[i] } else { b.0[i] }))
    }
}

#[cfg(not(target_arch = "wasm32"))]
macro_rules! operators {
    ($($operator:ident, $method:ident, $f:expr;)*) => {$(
        impl $operator for F4 {
            type Output = F4;
            fn $method(self, other: F4) -> F4 {
                self.zip(other, $f)
            }
        }
    )*};
}

#[cfg(not(target_arch = "wasm32"))]
operators! {
    Add, add, |a, b| a + b;
    Sub, sub, |a, b| a - b;
    Mul, mul, |a, b| a * b;
    Div, div, |a, b| a / b;
    BitAnd, bitand, |a, b| f32::from_bits(a.to_bits() & b.to_bits());
}

impl Neg for F4 {
    type Output = F4;
    #[inline(always)]
    fn neg(self) -> F4 {
        F4::splat(-0.0) - self
    }
}

impl F4 {
    pub const fn lanes_before(count: usize) -> usize {
        count - count % LANES
    }

    #[inline(always)]
    pub fn zero() -> F4 {
        F4::splat(0.0)
    }

    /// self + a · b
    #[inline(always)]
    pub fn plus_product(self, a: F4, b: F4) -> F4 {
        self + a * b
    }

    #[inline(always)]
    pub fn first(self) -> f32 {
        self.lanes()[0]
    }

    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.lanes();
        (a + b) + (c + d)
    }
}

/// The square root of one number; `core` has none.
#[inline(always)]
pub fn sqrt(x: f32) -> f32 {
    F4::splat(x).sqrt().first()
}

/// Σ a[i] · b[i] over `count` numbers.
#[inline(always)]
pub unsafe fn dot(a: *const f32, b: *const f32, count: usize) -> f32 {
    let whole = F4::lanes_before(count);
    let mut sums = F4::zero();
    let mut i = 0;
    while i < whole {
        sums = sums.plus_product(F4::load(a.add(i)), F4::load(b.add(i)));
        i += LANES;
    }
    let mut sum = sums.sum();
    while i < count {
        sum += *a.add(i) * *b.add(i);
        i += 1;
    }
    sum
}

/// y[i] = f(x[i]) for `count` numbers. The last few go one by one.
#[inline(always)]
pub unsafe fn map(x: *const f32, y: *mut f32, count: usize, f: impl Fn(F4) -> F4) {
    let whole = F4::lanes_before(count);
    let mut i = 0;
    while i < whole {
        f(F4::load(x.add(i))).store(y.add(i));
        i += LANES;
    }
    while i < count {
        *y.add(i) = f(F4::splat(*x.add(i))).first();
        i += 1;
    }
}

/// y[i] += a · x[i] for `count` numbers.
#[inline(always)]
pub unsafe fn add_scaled(y: *mut f32, a: f32, x: *const f32, count: usize) {
    update(y, count, |v, i| v.plus_product(F4::splat(a), F4::load(x.add(i))), |v, i| v + a * *x.add(i));
}

/// y[i] += a[i] · b[i] for `count` numbers.
#[inline(always)]
pub unsafe fn add_products(y: *mut f32, a: *const f32, b: *const f32, count: usize) {
    update(y, count, |v, i| v.plus_product(F4::load(a.add(i)), F4::load(b.add(i))), |v, i| v + *a.add(i) * *b.add(i));
}

/// y[i] = y[i] · d[i] + a · x[i] for `count` numbers.
#[inline(always)]
pub unsafe fn decay_and_add(y: *mut f32, d: *const f32, a: f32, x: *const f32, count: usize) {
    update(
        y,
        count,
        |v, i| (v * F4::load(d.add(i))).plus_product(F4::splat(a), F4::load(x.add(i))),
        |v, i| v * *d.add(i) + a * *x.add(i),
    );
}

/// y[i] = f(y[i], i), four at a time, then the last few one by one.
#[inline(always)]
unsafe fn update(y: *mut f32, count: usize, four: impl Fn(F4, usize) -> F4, one: impl Fn(f32, usize) -> f32) {
    let whole = F4::lanes_before(count);
    let mut i = 0;
    while i < whole {
        four(F4::load(y.add(i)), i).store(y.add(i));
        i += LANES;
    }
    while i < count {
        *y.add(i) = one(*y.add(i), i);
        i += 1;
    }
}
