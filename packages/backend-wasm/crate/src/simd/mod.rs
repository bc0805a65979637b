//! Numbers several at once: v128 on WebAssembly, arrays elsewhere, so that `cargo test` runs the same kernels.

use core::ops::Neg;

#[cfg(not(target_family = "wasm"))]
mod portable;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub use portable::{Mask, D4, F4, I4, S8};
#[cfg(target_family = "wasm")]
pub use wasm::{Mask, D4, F4, I4, S8};

/// How many numbers an `F4` or an `I4` holds.
pub const LANES: usize = 4;

/// The f32 of a cache line: what threads write apart from each other.
pub const LINE: usize = 16;

impl Neg for F4 {
    type Output = F4;
    #[inline(always)]
    fn neg(self) -> F4 {
        F4::splat(-0.0) - self
    }
}

impl S8 {
    /// The columns of eight rows: each round moves a bit of where a lane is from the rows to the columns.
    #[inline(always)]
    pub fn transposed(rows: [S8; 2 * LANES]) -> [S8; 2 * LANES] {
        let round = |x: [S8; 2 * LANES]| -> [S8; 2 * LANES] {
            let zipped: [[S8; 2]; LANES] = core::array::from_fn(|i| x[i].zip(x[i + LANES]));
            core::array::from_fn(|i| zipped[i / 2][i % 2])
        };
        round(round(round(rows)))
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

    #[inline(always)]
    pub fn first(self) -> f32 {
        self.lanes()[0]
    }

    /// The first `count` numbers at `from`, zeros after them.
    #[inline(always)]
    pub unsafe fn load_some(from: *const f32, count: usize) -> F4 {
        if count >= LANES {
            return F4::load(from);
        }
        F4::load(few(from, count).as_ptr())
    }

    /// Its first `count` numbers.
    #[inline(always)]
    pub unsafe fn store_some(self, to: *mut f32, count: usize) {
        if count >= LANES {
            return self.store(to);
        }
        put_few(to, &self.lanes(), count);
    }

    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.lanes();
        (a + b) + (c + d)
    }
}

/// Less than four numbers, zeros after them. Not inlined: it is at the end of rows alone, and in every kernel.
#[cold]
#[inline(never)]
unsafe fn few(from: *const f32, count: usize) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    for (i, lane) in lanes.iter_mut().enumerate().take(count) {
        *lane = *from.add(i);
    }
    lanes
}

#[cold]
#[inline(never)]
unsafe fn put_few(to: *mut f32, lanes: &[f32; LANES], count: usize) {
    for (i, lane) in lanes.iter().enumerate().take(count) {
        *to.add(i) = *lane;
    }
}

impl D4 {
    #[inline(always)]
    pub fn zero() -> D4 {
        D4::widen(F4::zero())
    }

    #[inline(always)]
    pub fn sum(self) -> f64 {
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
