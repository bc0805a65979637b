use super::columns::{add_plain, Columns, Run, RUN};
use super::{padded, Format, Packing, Prepared, GROUP};
use crate::simd::{F4, LANES};

/// f32. A block: four columns, one after the other.
pub struct Float;

const EXPONENT: u32 = 0x7f80_0000;

impl Format for Float {
    const BLOCK: usize = LANES;
    const STORED: usize = 16;
    const BYTES: usize = 64;
    const UNIT: usize = 4;
    const FEW: usize = 1;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let words = from.map(|row| (row as *const [u32; LANES]).read_unaligned());
        let finite = words.as_flattened().iter().all(|word| word & EXPONENT != EXPONENT);
        let rows = from.map(|row| F4::load(row as *const f32));
        for (column, numbers) in F4::transposed(rows).into_iter().enumerate() {
            numbers.store((to as *mut f32).add(GROUP * column));
        }
        if finite {
            Packing::Done
        } else {
            Packing::NotFinite
        }
    }

    unsafe fn finite(x: *const u8, count: usize) -> bool {
        (0..count).fold(true, |all, i| all & ((x as *const u32).add(i).read_unaligned() & EXPONENT != EXPONENT))
    }

    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
        Prepared { x: padded::<Self>(x, inner, room), scale: 1.0 }
    }

    #[inline(always)]
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S] {
        // A sum for each column of a block: an addition takes longer than to begin the next.
        let mut sums = [[F4::zero(); LANES]; S];
        for block in 0..blocks {
            let x: [F4; LANES] = core::array::from_fn(|i| F4::load_splat(x.x.add(LANES * block + i)));
            for (w, sums) in w.iter().zip(&mut sums) {
                let w = w.add(Self::BYTES * block) as *const f32;
                for (i, (sum, x)) in sums.iter_mut().zip(x).enumerate() {
                    *sum = sum.plus_product(F4::load(w.add(GROUP * i)), x);
                }
            }
        }
        sums.map(|[a, b, c, d]| (a + b) + (c + d))
    }

    unsafe fn widen(w: *const u8, _: usize, _: *mut f32) -> *const f32 {
        w as *const f32
    }
}

impl Columns for Float {
    const RUN_BYTES: usize = 4 * RUN;

    unsafe fn lay(from: &[*const u8; RUN], columns: usize, _: *mut u8, to: *mut u8, pitch: usize) -> Packing {
        let mut finite = true;
        let at = |row: usize, column: usize| (from[row] as *const u32).add(column);
        let whole = columns / LANES * LANES;
        for column in (0..whole).step_by(LANES) {
            for row in (0..RUN).step_by(LANES) {
                let words: [_; LANES] =
                    core::array::from_fn(|r| (at(row + r, column) as *const [u32; LANES]).read_unaligned());
                finite &= words.as_flattened().iter().all(|word| word & EXPONENT != EXPONENT);
                let rows = core::array::from_fn(|r| F4::load(at(row + r, column) as *const f32));
                for (c, four) in F4::transposed(rows).into_iter().enumerate() {
                    four.store((to.add((column + c) * pitch) as *mut f32).add(row));
                }
            }
        }
        for (column, row) in (whole..columns).flat_map(|column| (0..RUN).map(move |row| (column, row))) {
            let word = at(row, column).read_unaligned();
            finite &= word & EXPONENT != EXPONENT;
            *(to.add(column * pitch) as *mut u32).add(row) = word;
        }
        if finite {
            Packing::Done
        } else {
            Packing::NotFinite
        }
    }

    unsafe fn add(run: Run, some: &[u32], x: &Prepared, _: usize, y: *mut f32) {
        add_plain(run, some, x, y, |w| core::array::from_fn(|i| F4::load((w as *const f32).add(LANES * i))));
    }

    unsafe fn four(run: *const u8, row: usize) -> F4 {
        F4::load((run as *const f32).add(row))
    }
}
