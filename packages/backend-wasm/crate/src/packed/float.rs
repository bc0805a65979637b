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
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S] {
        let mut sums = [[F4::zero(); GROUP]; S];
        for block in 0..blocks {
            let x = F4::load(x.x.add(LANES * block));
            for (w, sums) in w.iter().zip(&mut sums) {
                let w = w.add(Self::BYTES * block) as *const f32;
                for (r, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.plus_product(F4::load(w.add(LANES * r)), x);
                }
            }
        }
        sums.map(F4::sums)
    }

    unsafe fn widen(w: *const u8, _: usize, _: *mut f32) -> *const f32 {
        w as *const f32
    }
}
