use super::columns::{add_plain, Columns, Run, RUN};
use super::words::{dot_words, lay_words, widen_run, widen_words};
use super::{halves_below, padded, Format, Packing, Prepared, GROUP};
use crate::simd::{F4, I4, LANES, S8};

/// bfloat16, the upper half of an f32. A block: eight columns.
pub struct Bfloat;

const EXPONENT: u16 = 0x7f80;
const UPPER: i32 = 0xffff_0000u32 as i32;

/// Columns 0 to 3, and 4 to 7, of a row of a block.
#[inline(always)]
unsafe fn widen_row(w: *const u8) -> [F4; 2] {
    let words = I4::load(w);
    [words.shift_left(16).as_floats(), (words & I4::splat(UPPER)).as_floats()]
}

impl Format for Bfloat {
    const BLOCK: usize = 2 * LANES;
    const STORED: usize = 16;
    const BYTES: usize = 64;
    const UNIT: usize = 2;
    const FEW: usize = 4;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let (mut finite, exponent) = (true, S8::splat(EXPONENT as i16));
        for (r, row) in from.into_iter().enumerate() {
            let stored = S8::load(row as *const i16);
            finite &= (stored & exponent).below(exponent).all();
            stored.interleaved().store(to.add(16 * r) as *mut i16);
        }
        if finite {
            Packing::Done
        } else {
            Packing::NotFinite
        }
    }

    unsafe fn finite(x: *const u8, count: usize) -> bool {
        halves_below(x, count, 1, EXPONENT)
    }

    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
        Prepared { x: padded::<Self>(x, inner, room), scale: 1.0 }
    }

    #[inline(always)]
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S] {
        dot_words(w, x.x, blocks, |w| widen_row(w))
    }

    unsafe fn widen(w: *const u8, blocks: usize, room: *mut f32) -> *const f32 {
        widen_words(w, blocks, room, |w| widen_row(w))
    }
}

impl Columns for Bfloat {
    const RUN_BYTES: usize = 2 * RUN;

    unsafe fn lay(from: &[*const u8; RUN], columns: usize, _: *mut u8, to: *mut u8, pitch: usize) -> Packing {
        let exponent = S8::splat(EXPONENT as i16);
        lay_words(from, columns, to, pitch, |stored| {
            let finite = (stored & exponent).below(exponent).all();
            finite.then_some(stored).ok_or(Packing::NotFinite)
        })
    }

    unsafe fn add(run: Run, some: &[u32], x: &Prepared, _: usize, y: *mut f32) {
        add_plain(run, some, x, y, |w| widen_run(w, |w| widen_row(w)));
    }

    unsafe fn four(run: *const u8, row: usize) -> F4 {
        widen_row(run.add(2 * (row & !7)))[row / LANES % 2]
    }
}
