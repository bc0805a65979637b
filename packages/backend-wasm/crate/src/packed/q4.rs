use super::columns::{Columns, Run, RUN};
use super::q8::{add_blocks, pack_scale, pack_scales, prepare, scales_of, widen_block, SCALES};
use super::{halves_below, raised, Format, Packing, Prepared, GROUP};
use crate::simd::{F4, I4, LANES, S8};

/// GGUF's Q4_0: 32 columns of 0 to 15, less 8, under one scale. A block: the four scales as raised halves, then four
/// rows of eight words of 16 bits: word j has columns j, 8 + j, 16 + j and 24 + j, from its lowest bits on.
pub struct Q4;

const COLUMNS: usize = 32;
/// Bytes of the numbers of a row.
const ROW: usize = COLUMNS / 2;

/// Columns 0 to 7, 8 to 15, 16 to 23 and 24 to 31 of a row, not yet less 8; so the rows of a run of a column.
#[inline(always)]
unsafe fn planes(row: *const u8) -> [S8; 4] {
    let words = S8::load(row as *const i16);
    let mask = S8::splat(15);
    [words & mask, words.shr_zero(4) & mask, words.shr_zero(8) & mask, words.shr_zero(12)]
}

impl Format for Q4 {
    const BLOCK: usize = COLUMNS;
    const STORED: usize = 2 + ROW;
    const BYTES: usize = SCALES + GROUP * ROW;
    const UNIT: usize = Self::STORED;
    const FEW: usize = 4;

    /// Byte i of a stored block has columns i and 16 + i.
    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let mut worst = Packing::Done;
        for (r, row) in from.into_iter().enumerate() {
            worst = worst.max(pack_scale(row, to, r));
            let stored = (row.add(2) as *const [u8; ROW]).read_unaligned();
            let words: [u8; ROW] = core::array::from_fn(|i| {
                let (low, high) = (stored[i / 2], stored[8 + i / 2]);
                if i % 2 == 0 {
                    low & 15 | high << 4
                } else {
                    low >> 4 | high & 0xf0
                }
            });
            (to.add(SCALES + ROW * r) as *mut [u8; ROW]).write_unaligned(words);
        }
        worst
    }

    unsafe fn finite(x: *const u8, count: usize) -> bool {
        halves_below(x, count, Self::STORED / 2, 0x7c00)
    }

    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
        prepare(x, inner, room)
    }

    #[inline(always)]
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S] {
        let (whole, scales) = (x.x as *const i16, x.x.add(blocks * COLUMNS / 2));
        let mut sums = [F4::zero(); S];
        for block in 0..blocks {
            let x = whole.add(COLUMNS * block);
            let x: [S8; 4] = core::array::from_fn(|i| S8::load(x.add(8 * i)));
            let x_scale = F4::splat(*scales.add(block));
            // All whole numbers below 2^24: exact in f32.
            let eighths = F4::splat(*scales.add(blocks + block) * -8.0);
            for (w, sum) in w.iter().zip(&mut sums) {
                let w = w.add(Self::BYTES * block);
                let dots = core::array::from_fn(|r| {
                    let [a, b, c, d] = planes(w.add(SCALES + ROW * r));
                    a.dot(x[0]) + b.dot(x[1]) + (c.dot(x[2]) + d.dot(x[3]))
                });
                let scale = raised(I4::load_halves(w)) * x_scale;
                *sum = sum.plus_product(I4::sums(dots).to_floats() + eighths, scale);
            }
        }
        sums
    }

    unsafe fn widen(w: *const u8, blocks: usize, room: *mut f32) -> *const f32 {
        let eight = S8::splat(8);
        for block in 0..blocks {
            let w = w.add(Self::BYTES * block);
            let rows: [[S8; 4]; GROUP] = core::array::from_fn(|r| planes(w.add(SCALES + ROW * r)));
            widen_block(w, room.add(COLUMNS * GROUP * block), |r, i| rows[r][i] - eight);
        }
        room
    }
}

/// Columns lie as rows do: word j of a run has rows j, 8 + j, 16 + j and 24 + j.
impl Columns for Q4 {
    const RUN_BYTES: usize = RUN / 2;
    const SCALES_BYTES: usize = 2 * RUN;

    unsafe fn lay(from: &[*const u8; RUN], columns: usize, scales: *mut u8, to: *mut u8, pitch: usize) -> Packing {
        for column in 0..columns {
            let mut words = [0u16; RUN / 4];
            for (r, row) in from.iter().enumerate() {
                let number = *row.add(2 + column % ROW) >> (column / ROW * 4) & 15;
                words[r % words.len()] |= u16::from(number) << (r / 8 * 4);
            }
            (to.add(column * pitch) as *mut [u16; RUN / 4]).write_unaligned(words);
        }
        pack_scales(from, scales)
    }

    unsafe fn add(run: Run, some: &[u32], x: &Prepared, chunks: usize, y: *mut f32) {
        add_blocks(run, some, x, chunks, y, 8.0, |w| planes(w));
    }

    unsafe fn scales(scales: *const u8, row: usize) -> F4 {
        scales_of(scales, row)
    }

    unsafe fn four(run: *const u8, row: usize) -> F4 {
        (planes(run)[row / 8] - S8::splat(8)).widen()[row / LANES % 2].to_floats()
    }
}
