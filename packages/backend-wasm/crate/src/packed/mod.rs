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
mod columns;
mod float;
mod half;
mod product;
mod q4;
mod q8;
mod words;

pub use bfloat::Bfloat;
use columns::pack_columns as columns_of;
pub use columns::{product_of_columns, scratch as columns_scratch};
pub use float::Float;
pub use half::Half;
pub use product::{product, scratch};
pub use q4::Q4;
pub use q8::Q8;

use crate::simd::{F4, I4};
use crate::team::Team;
use core::sync::atomic::{AtomicU32, Ordering};

/// Rows of a group.
pub const GROUP: usize = 4;

/// A row of x, made ready for `Format::dot`.
#[derive(Clone, Copy)]
pub struct Prepared {
    pub x: *const f32,
    /// What sums are multiplied by in the end.
    pub scale: f32,
}

/// The most of `Format::FEW`.
const MOST_FEW: usize = 4;

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
    /// Bytes that can be looked at for themselves: a number, or a block of them.
    const UNIT: usize;
    /// Up to so many rows of x, each is multiplied for itself; more share numbers widened to f32.
    const FEW: usize;

    /// Packs a block of four rows; `from`: [STORED] each, `to`: [BYTES].
    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing;

    /// Whether none of `count` units as stored is infinite or NaN.
    unsafe fn finite(x: *const u8, count: usize) -> bool;

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

/// Calls a function of the type of weights that has this number; TypeScript knows them by it.
macro_rules! with_format {
    ($number:expr, $function:ident, $($argument:expr),*) => {
        match $number {
            0 => $function::<$crate::packed::Float>($($argument),*),
            1 => $function::<$crate::packed::Half>($($argument),*),
            2 => $function::<$crate::packed::Bfloat>($($argument),*),
            3 => $function::<$crate::packed::Q8>($($argument),*),
            _ => $function::<$crate::packed::Q4>($($argument),*),
        }
    };
}
pub(crate) use with_format;

/// Packs rows of a weight as stored: see `pack_rows`. worst: a `Packing`, raised to how it went
pub unsafe fn pack(
    team: &Team,
    format: u32,
    from: *const u8,
    to: *mut u8,
    rows: usize,
    inner: usize,
    worst: *const AtomicU32,
) {
    with_format!(format, pack_rows, team, from, to, rows, inner, &*worst)
}

/// The same for plain numbers whose rows are stored as columns: see `pack_rows_of_columns`
pub unsafe fn pack_transposed(
    team: &Team,
    format: u32,
    from: *const u8,
    to: *mut u8,
    rows: usize,
    inner: usize,
    room: *mut u8,
    worst: *const AtomicU32,
) {
    with_format!(format, pack_rows_of_columns, team, from, to, rows, inner, room, &*worst)
}

/// The same for a weight column by column: see `columns::pack_columns`
pub unsafe fn pack_columns(
    team: &Team,
    format: u32,
    from: *const u8,
    to: *mut u8,
    first: usize,
    rows: usize,
    inner: usize,
    outer: usize,
    worst: *const AtomicU32,
) {
    with_format!(format, columns_of, team, from, to, first, rows, inner, outer, &*worst)
}

/// Looks through numbers as they are stored. x: [count], in whole blocks; worst: as for `pack`
pub unsafe fn check_finite(team: &Team, format: u32, x: *const u8, count: usize, worst: *const AtomicU32) {
    with_format!(format, all_finite, team, x, count, &*worst)
}

/// Packs `rows` rows, the last group filled up. from: [rows, inner] as stored; to: [groups, blocks, BYTES]; worst: raised
/// to how it went
unsafe fn pack_rows<F: Format>(
    team: &Team,
    from: *const u8,
    to: *mut u8,
    rows: usize,
    inner: usize,
    worst: &AtomicU32,
) {
    let (pitch, packed) = (stored_bytes::<F>(inner), inner.div_ceil(F::BLOCK) * F::BYTES);
    team.share(rows.div_ceil(GROUP), 1, |begin, end| {
        let went = (begin..end).map(|group| {
            let present = GROUP.min(rows - group * GROUP);
            pack_group::<F>(from.add(group * GROUP * pitch), to.add(group * packed), present, inner)
        });
        worst.fetch_max(went.max().unwrap_or(Packing::Done) as u32, Ordering::Relaxed);
    });
}

/// Packs `rows` rows of plain numbers that are stored as columns. from: [inner, rows]; to, worst: as for `pack_rows`;
/// room: four rows as stored for each thread
unsafe fn pack_rows_of_columns<F: Format>(
    team: &Team,
    from: *const u8,
    to: *mut u8,
    rows: usize,
    inner: usize,
    room: *mut u8,
    worst: &AtomicU32,
) {
    let (pitch, packed) = (stored_bytes::<F>(inner), inner.div_ceil(F::BLOCK) * F::BYTES);
    let room = room.add(team.id * GROUP * pitch);
    team.share(rows.div_ceil(GROUP), 4, |begin, end| {
        let went = (begin..end).map(|group| {
            let present = GROUP.min(rows - group * GROUP);
            let first = from.add(group * GROUP * F::UNIT);
            for row in 0..present {
                let (from, to) = (first.add(row * F::UNIT), room.add(row * pitch));
                match F::UNIT {
                    2 => gather_column(from as *const u16, rows, to as *mut u16, inner),
                    _ => gather_column(from as *const u32, rows, to as *mut u32, inner),
                }
            }
            pack_group::<F>(room, to.add(group * packed), present, inner)
        });
        worst.fetch_max(went.max().unwrap_or(Packing::Done) as u32, Ordering::Relaxed);
    });
}

/// from: the first of `count` numbers, `pitch` of them apart; to: [count]
unsafe fn gather_column<T: Copy>(from: *const T, pitch: usize, to: *mut T, count: usize) {
    for i in 0..count {
        to.add(i).write_unaligned(from.add(i * pitch).read_unaligned());
    }
}

/// The bytes of `inner` numbers of a row as stored.
fn stored_bytes<F: Format>(inner: usize) -> usize {
    F::STORED * inner / F::BLOCK
}

/// from: [present, inner] as stored, `present` ≤ GROUP; to: [blocks, BYTES]
unsafe fn pack_group<F: Format>(from: *const u8, to: *mut u8, present: usize, inner: usize) -> Packing {
    let (whole, blocks) = (inner / F::BLOCK, inner.div_ceil(F::BLOCK));
    let rest = F::STORED * (inner % F::BLOCK) / F::BLOCK;
    let pitch = stored_bytes::<F>(inner);
    let zeros = [0u8; 64];
    let row = |r: usize| from.add(r * pitch);
    let mut worst = Packing::Done;
    if present == GROUP {
        let rows = [row(0), row(1), row(2), row(3)];
        for block in 0..whole {
            worst = worst.max(F::pack(rows.map(|row| row.add(block * F::STORED)), to.add(block * F::BYTES)));
        }
    }
    for block in if present == GROUP { whole } else { 0 }..blocks {
        let mut tail = [[0u8; 64]; GROUP];
        let sources = core::array::from_fn(|r| {
            if r >= present {
                return zeros.as_ptr();
            }
            let stored = row(r).add(block * F::STORED);
            if block < whole {
                return stored;
            }
            core::ptr::copy_nonoverlapping(stored, tail[r].as_mut_ptr(), rest);
            tail[r].as_ptr()
        });
        worst = worst.max(F::pack(sources, to.add(block * F::BYTES)));
    }
    worst
}

/// worst: raised to `NotFinite` where one is infinite or NaN
unsafe fn all_finite<F: Format>(team: &Team, x: *const u8, count: usize, worst: &AtomicU32) {
    team.share(count * F::STORED / F::BLOCK / F::UNIT, 1024, |begin, end| {
        if !F::finite(x.add(begin * F::UNIT), end - begin) {
            worst.fetch_max(Packing::NotFinite as u32, Ordering::Relaxed);
        }
    });
}

/// Whether none of `count` numbers of 16 bits, `step` of them apart, has this exponent.
unsafe fn halves_below(x: *const u8, count: usize, step: usize, exponent: u16) -> bool {
    let x = x as *const u16;
    (0..count).fold(true, |all, i| all & (x.add(i * step).read_unaligned() & exponent != exponent))
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
