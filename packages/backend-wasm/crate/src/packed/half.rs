use super::columns::{add_plain, Columns, Run, RUN};
use super::words::{dot_words, lay_words, widen_run, widen_words};
use super::{halves_below, Format, Packing, Prepared, GROUP, RAISED_BITS};
use crate::half::{raise, RAISED};
use crate::simd::{F4, I4, LANES, S8};

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

/// All eight at once, where none is subnormal or too large, which is almost always: exponents of 1 to 21, or zeros.
#[inline(always)]
fn raise_common(stored: S8) -> Option<S8> {
    let size = stored & S8::splat(0x7fff);
    let zero = size.below(S8::splat(1));
    let common = (size - S8::splat(1 << 10)).below(S8::splat(21 << 10)) | zero;
    let raised = stored + (S8::splat(10 << 10) & S8::splat(0).below(size));
    common.all().then_some(raised)
}

/// One by one.
#[cold]
unsafe fn raise_each(row: *const u8) -> Result<S8, Packing> {
    let mut raised = [0i16; 8];
    for (to, bits) in raised.iter_mut().zip((row as *const [u16; 8]).read_unaligned()) {
        *to = raise(bits).ok_or(if bits & 0x7c00 == 0x7c00 { Packing::NotFinite } else { Packing::TooLarge })? as i16;
    }
    Ok(S8::load(raised.as_ptr()))
}

impl Format for Half {
    const BLOCK: usize = 2 * LANES;
    const STORED: usize = 16;
    const BYTES: usize = 64;
    const UNIT: usize = 2;
    const FEW: usize = 4;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let mut worst = Packing::Done;
        for (r, row) in from.into_iter().enumerate() {
            let raised = raise_common(S8::load(row as *const i16));
            match raised.map_or_else(|| raise_each(row), Ok) {
                Ok(raised) => raised.interleaved().store(to.add(16 * r) as *mut i16),
                Err(packing) => worst = worst.max(packing),
            }
        }
        worst
    }

    unsafe fn finite(x: *const u8, count: usize) -> bool {
        halves_below(x, count, 1, 0x7c00)
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

impl Columns for Half {
    const RUN_BYTES: usize = 2 * RUN;

    unsafe fn lay(from: &[*const u8; RUN], columns: usize, _: *mut u8, to: *mut u8, pitch: usize) -> Packing {
        lay_words(from, columns, to, pitch, |stored| {
            raise_common(stored).map_or_else(|| raise_each(stored.lanes().as_ptr() as *const u8), Ok)
        })
    }

    unsafe fn add(run: Run, some: &[u32], x: &Prepared, _: usize, y: *mut f32) {
        add_plain(run, some, x, y, |w| widen_run(w, |w| widen_row(w)));
    }

    unsafe fn scales(_: *const u8, _: usize) -> F4 {
        F4::splat(RAISED)
    }

    unsafe fn four(run: *const u8, row: usize) -> F4 {
        widen_row(run.add(2 * (row & !7)))[row / LANES % 2]
    }
}
