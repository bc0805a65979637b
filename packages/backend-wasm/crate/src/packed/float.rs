use super::{padded, Format, Packing, Prepared, GROUP};
use crate::simd::{F4, I4, LANES};

/// f32. A block: four columns.
pub struct Float;

const EXPONENT: u32 = 0x7f80_0000;

impl Format for Float {
    const BLOCK: usize = LANES;
    const STORED: usize = 16;
    const BYTES: usize = 64;
    const FEW: usize = 1;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let mut finite = true;
        for (r, row) in from.into_iter().enumerate() {
            let words = (row as *const [u32; LANES]).read_unaligned();
            finite &= words.into_iter().all(|word| word & EXPONENT != EXPONENT);
            I4::load(row).store(to.add(16 * r));
        }
        if finite {
            Packing::Done
        } else {
            Packing::NotFinite
        }
    }

    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
        Prepared { x: padded::<Self>(x, inner, room), scale: 1.0 }
    }

    #[inline(always)]
    unsafe fn dot(w: *const u8, x: &Prepared, blocks: usize) -> F4 {
        let (w, x) = (w as *const f32, x.x);
        let mut sums = [F4::zero(); GROUP];
        let mut more = [F4::zero(); GROUP];
        let mut block = 0;
        // Two blocks at a time: eight sums hide the time that an addition takes.
        while block + 2 <= blocks {
            let (x0, x1) = (F4::load(x.add(LANES * block)), F4::load(x.add(LANES * (block + 1))));
            let w = w.add(16 * block);
            for r in 0..GROUP {
                sums[r] = sums[r].plus_product(F4::load(w.add(LANES * r)), x0);
            }
            for r in 0..GROUP {
                more[r] = more[r].plus_product(F4::load(w.add(16 + LANES * r)), x1);
            }
            block += 2;
        }
        if block < blocks {
            let x = F4::load(x.add(LANES * block));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus_product(F4::load(w.add(16 * block + LANES * r)), x);
            }
        }
        F4::sums(core::array::from_fn(|r| sums[r] + more[r]))
    }

    unsafe fn widen(w: *const u8, _: usize, _: *mut f32) -> *const f32 {
        w as *const f32
    }
}
