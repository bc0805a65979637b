use super::words::{dot_words, interleave, widen_words};
use super::{Format, Packing, Prepared, GROUP, RAISED_BITS};
use crate::half::{raise, RAISED};
use crate::simd::{F4, I4, LANES};

/// IEEE half precision, held raised (see `crate::half`). A block: eight columns.
pub struct Half;

/// Numbers of x from here on are not multiplied by `RAISED`: they would overflow.
const LARGE: f32 = 16_777_216.0;

/// Columns 0 to 3, and 4 to 7, of a row of a block: 2^-102 of their values.
#[inline(always)]
unsafe fn widen_row(w: *const u8) -> [F4; 2] {
    let words = I4::load(w);
    let mask = I4::splat(RAISED_BITS);
    [(words.shift_left(16).shift_right(3) & mask).as_floats(), (words.shift_right(3) & mask).as_floats()]
}

/// All eight at once where none is subnormal or too large, which is almost always.
#[inline(always)]
fn raise_row(stored: [u16; 8]) -> Result<[u16; 8], Packing> {
    let common = stored.map(|bits| {
        let size = bits & 0x7fff;
        size == 0 || (0x0400..22 << 10).contains(&size)
    });
    if common.into_iter().all(|it| it) {
        return Ok(stored.map(|bits| if bits & 0x7fff == 0 { bits } else { bits + (10 << 10) }));
    }
    let mut raised = [0; 8];
    for (to, bits) in raised.iter_mut().zip(stored) {
        *to = raise(bits).ok_or(if bits & 0x7c00 == 0x7c00 { Packing::NotFinite } else { Packing::TooLarge })?;
    }
    Ok(raised)
}

impl Format for Half {
    const BLOCK: usize = 2 * LANES;
    const STORED: usize = 16;
    const BYTES: usize = 64;
    const FEW: usize = 4;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let mut worst = Packing::Done;
        for (r, row) in from.into_iter().enumerate() {
            match raise_row((row as *const [u16; 8]).read_unaligned()) {
                Ok(raised) => (to.add(16 * r) as *mut [u16; 8]).write_unaligned(interleave(raised)),
                Err(packing) => worst = worst.max(packing),
            }
        }
        worst
    }

    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
        let largest = crate::kernels::softmax::largest_size(x, inner);
        let (factor, scale) = if largest < LARGE { (RAISED, 1.0) } else { (1.0, RAISED) };
        crate::simd::map(x, room, inner, |v| v * F4::splat(factor));
        core::ptr::write_bytes(room.add(inner), 0, inner.next_multiple_of(Self::BLOCK) - inner);
        Prepared { x: room, scale }
    }

    #[inline(always)]
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S] {
        dot_words(w, x.x, blocks, |w| widen_row(w))
    }

    unsafe fn widen(w: *const u8, blocks: usize, room: *mut f32) -> *const f32 {
        let scale = F4::splat(RAISED);
        widen_words(w, blocks, room, |w| widen_row(w).map(|four| four * scale))
    }
}
