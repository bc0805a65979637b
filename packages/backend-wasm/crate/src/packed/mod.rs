//! Weights as `linear` reads them: in the type they are stored in, four rows interleaved.
//!
//! ```text
//! group of rows 0…3                                      group of rows 4…7
//! ┌ block 0 ───────────────┬ block 1 ───────────────┬ …  ┌ block 0 …
//! │ row 0, row 1, 2, row 3 │ row 0, row 1, 2, row 3 │    │
//! └────────────────────────┴────────────────────────┘
//! ```
//!
//! So a product with one token reads memory as few streams, and each number of x serves four rows of each. A block is a few
//! columns, as many as the format takes at once; the last block and the last group are filled up with zeros. Numbers of
//! 16 bits lie so that the lower halves of a vector of words are columns 0 to 3 and the upper ones columns 4 to 7.

mod bfloat;
mod float;
mod half;
mod product;
mod q4;
mod q8;
mod words;

pub use bfloat::Bfloat;
pub use float::Float;
pub use half::Half;
pub use product::{product, scratch};
pub use q4::Q4;
pub use q8::Q8;

use crate::simd::{F4, I4};

/// Rows of a group.
pub const GROUP: usize = 4;

/// A row of x, made ready for `Format::dot`.
#[derive(Clone, Copy)]
pub struct Prepared {
    pub x: *const f32,
    /// What sums are multiplied by in the end.
    pub scale: f32,
}

/// Groups that a product with few tokens reads at the same time. A processor fetches ahead within a page of memory: while
/// one stream waits at the end of its page, another goes on. With more, sums no longer stay in registers.
pub const STREAMS: usize = 2;

/// A type of weights: how it is packed, and how it is multiplied.
pub trait Format {
    /// Columns of a block.
    const BLOCK: usize;
    /// Bytes that a block of one row is stored in.
    const STORED: usize;
    /// Bytes of a block of four rows.
    const BYTES: usize;
    /// Up to so many rows of x, each is multiplied for itself; more share numbers widened to f32.
    const FEW: usize;

    /// Packs a block of four rows; `from`: [STORED] each, `to`: [BYTES].
    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing;

    /// x: [inner]; room: [`room(inner)`] of f32, which what is returned may lie in
    unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared;

    /// The products of the four rows of each of some groups with x, before `Prepared::scale`. w: [blocks, BYTES] each
    unsafe fn dot<const S: usize>(w: [*const u8; S], x: &Prepared, blocks: usize) -> [F4; S];

    /// The numbers of a group column by column, f32 [blocks · BLOCK, GROUP]: `w` itself, or made in `room`.
    unsafe fn widen(w: *const u8, blocks: usize, room: *mut f32) -> *const f32;
}

/// How packing went, as TypeScript is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u32)]
pub enum Packing {
    Done = 0,
    /// A number that the packed form cannot hold; f32 can.
    TooLarge = 1,
    /// A number that is infinite or NaN.
    NotFinite = 2,
}

/// The f32 that `Format::prepare` may need for one row.
pub const fn room(inner: usize) -> usize {
    inner.next_multiple_of(32) + 2 * inner.div_ceil(32)
}

/// Packs `rows` rows, the last group filled up. from: [rows, inner] as stored; to: [groups, blocks, BYTES]
pub unsafe fn pack_rows<F: Format>(from: *const u8, to: *mut u8, rows: usize, inner: usize) -> Packing {
    let (whole, blocks) = (inner / F::BLOCK, inner.div_ceil(F::BLOCK));
    let rest = F::STORED * (inner % F::BLOCK) / F::BLOCK;
    let pitch = whole * F::STORED + rest;
    let zeros = [0u8; 64];
    let mut worst = Packing::Done;
    for group in 0..rows.div_ceil(GROUP) {
        let to = to.add(group * blocks * F::BYTES);
        let present = GROUP.min(rows - group * GROUP);
        for block in 0..blocks {
            let mut tail = [[0u8; 64]; GROUP];
            let sources = core::array::from_fn(|r| {
                if r >= present {
                    return zeros.as_ptr();
                }
                let stored = from.add((group * GROUP + r) * pitch + block * F::STORED);
                if block < whole {
                    return stored;
                }
                core::ptr::copy_nonoverlapping(stored, tail[r].as_mut_ptr(), rest);
                tail[r].as_ptr()
            });
            worst = worst.max(F::pack(sources, to.add(block * F::BYTES)));
        }
    }
    worst
}

/// What an f32 becomes of the bits of raised halves, sign-extended: 2^-102 of their values.
#[inline(always)]
fn raised(bits: I4) -> F4 {
    (bits.shift_left(13) & I4::splat(RAISED_BITS)).as_floats()
}

/// The sign, and where the exponent and fraction of a raised half lie in an f32.
const RAISED_BITS: i32 = 0x8fff_e000u32 as i32;

/// The x of formats that take it as it is; copied and filled up with zeros where the last block is not whole.
unsafe fn padded<F: Format>(x: *const f32, inner: usize, room: *mut f32) -> *const f32 {
    let rest = inner % F::BLOCK;
    if rest == 0 {
        return x;
    }
    core::ptr::copy_nonoverlapping(x, room, inner);
    core::ptr::write_bytes(room.add(inner), 0, F::BLOCK - rest);
    room
}

#[cfg(test)]
mod tests;
