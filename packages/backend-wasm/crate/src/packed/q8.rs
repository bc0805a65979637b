use super::columns::{Columns, Run, RUN};
use super::{halves_below, raised, Format, Packing, Prepared, GROUP};
use crate::half::{raise, RAISED};
use crate::simd::{F4, I4, LANES, S8};

/// GGUF's Q8_0: 32 columns under one scale. A block: the four scales as raised halves, then four rows of 32 i8.
///
/// x is held as i16 under a scale of its own for every 32 numbers, which costs it 5 of its 24 bits of precision at most
/// where all are of a size: products and sums are exact whole numbers.
pub struct Q8;

const COLUMNS: usize = 32;
/// Bytes of the scales of a block.
pub const SCALES: usize = 2 * GROUP;
/// Rows, and pairs of columns, that are turned together.
const PAIRS: usize = 8;
/// The most that a number of x becomes.
const MOST: f32 = 32767.0;

/// Writes the scale of a row, the first two bytes of a stored block, among those of a packed one.
pub unsafe fn pack_scale(stored: *const u8, to: *mut u8, row: usize) -> Packing {
    let bits = u16::from_le_bytes((stored as *const [u8; 2]).read());
    let Some(raised) = raise(bits) else {
        return if bits & 0x7c00 == 0x7c00 { Packing::NotFinite } else { Packing::TooLarge };
    };
    (to.add(2 * row) as *mut u16).write_unaligned(raised);
    Packing::Done
}

/// Makes i16 [inner] of x at `room`, then f32 [blocks] scales at `room` + inner / 2, each times 2^102 and with the sum
/// of the whole numbers behind all of them, f32 [blocks].
pub unsafe fn prepare(x: *const f32, inner: usize, room: *mut f32) -> Prepared {
    let blocks = inner / COLUMNS;
    let (whole, scales) = (room as *mut i16, room.add(inner / 2));
    for block in 0..blocks {
        let x = x.add(block * COLUMNS);
        let mut sizes = F4::load(x).abs();
        for i in 1..COLUMNS / LANES {
            sizes = sizes.max(F4::load(x.add(LANES * i)).abs());
        }
        let largest = sizes.lanes().into_iter().fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
        // Of smaller numbers the reciprocal overflows; next to any other block they are nothing.
        let inverse = F4::splat(if largest < 1e-30 { 0.0 } else { MOST / largest });
        let mut sum = I4::splat(0);
        for i in 0..COLUMNS / (2 * LANES) {
            let at = x.add(2 * LANES * i);
            let [low, high] = [at, at.add(LANES)].map(|at| (F4::load(at) * inverse).nearest().to_whole());
            sum = sum + low + high;
            low.narrow(high).store(whole.add(block * COLUMNS + 2 * LANES * i));
        }
        *scales.add(block) = largest / MOST * RAISED;
        *scales.add(blocks + block) = sum.to_floats().sum();
    }
    Prepared { x: room, scale: 1.0 }
}

impl Format for Q8 {
    const BLOCK: usize = COLUMNS;
    const STORED: usize = 2 + COLUMNS;
    const BYTES: usize = SCALES + GROUP * COLUMNS;
    const UNIT: usize = Self::STORED;
    const FEW: usize = 4;

    unsafe fn pack(from: [*const u8; GROUP], to: *mut u8) -> Packing {
        let mut worst = Packing::Done;
        for (r, row) in from.into_iter().enumerate() {
            worst = worst.max(pack_scale(row, to, r));
            core::ptr::copy_nonoverlapping(row.add(2), to.add(SCALES + COLUMNS * r), COLUMNS);
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
            for (w, sum) in w.iter().zip(&mut sums) {
                let w = w.add(Self::BYTES * block);
                let dots = core::array::from_fn(|r| {
                    let row = w.add(SCALES + COLUMNS * r) as *const i8;
                    let dot = |i: usize| S8::load_bytes(row.add(8 * i)).dot(x[i]);
                    dot(0) + dot(1) + (dot(2) + dot(3))
                });
                *sum = sum.plus_product(I4::sums(dots).to_floats(), raised(I4::load_halves(w)) * x_scale);
            }
        }
        sums
    }

    unsafe fn widen(w: *const u8, blocks: usize, room: *mut f32) -> *const f32 {
        for block in 0..blocks {
            let w = w.add(Self::BYTES * block);
            let row = |r: usize| w.add(SCALES + COLUMNS * r) as *const i8;
            widen_block(w, room.add(COLUMNS * GROUP * block), |r, i| S8::load_bytes(row(r).add(8 * i)));
        }
        room
    }
}

impl Columns for Q8 {
    const RUN_BYTES: usize = RUN;
    const SCALES_BYTES: usize = 2 * RUN;

    unsafe fn lay(from: &[*const u8; RUN], columns: usize, scales: *mut u8, to: *mut u8, pitch: usize) -> Packing {
        for column in (0..columns).step_by(PAIRS * 2) {
            for row in (0..RUN).step_by(PAIRS * 2) {
                // Two columns a lane, of eight rows each.
                let [above, below] = [row, row + PAIRS].map(|row| {
                    S8::transposed(core::array::from_fn(|r| S8::load(from[row + r].add(2 + column) as *const i16)))
                });
                for (pair, (above, below)) in above.into_iter().zip(below).enumerate() {
                    for (c, sixteen) in above.bytes(below).into_iter().enumerate() {
                        sixteen.store(to.add((column + 2 * pair + c) * pitch + row) as *mut i16);
                    }
                }
            }
        }
        pack_scales(from, scales)
    }

    unsafe fn add(run: Run, some: &[u32], x: &Prepared, chunks: usize, y: *mut f32) {
        let eight = |w: *const u8, i: usize| S8::load_bytes((w as *const i8).add(8 * i));
        add_blocks(run, some, x, chunks, y, 0.0, |w| core::array::from_fn(|i| eight(w, i)));
    }

    unsafe fn scales(scales: *const u8, row: usize) -> F4 {
        scales_of(scales, row)
    }

    unsafe fn four(run: *const u8, row: usize) -> F4 {
        S8::load_bytes((run as *const i8).add(row & !7)).widen()[row / LANES % 2].to_floats()
    }
}

/// The scales of 32 rows, at their full value for four of them.
pub unsafe fn pack_scales(from: &[*const u8; RUN], to: *mut u8) -> Packing {
    let went = from.iter().enumerate().map(|(r, row)| pack_scale(*row, to, r)).max();
    went.unwrap_or(Packing::Done)
}

#[inline(always)]
pub unsafe fn scales_of(scales: *const u8, row: usize) -> F4 {
    raised(I4::load_halves(scales.add(2 * row))) * F4::splat(RAISED)
}

/// `Columns::add`: columns two by two, whose products with whole numbers are exact. less: what was added to every number;
/// `whole`: the 32 numbers of a run of a column
#[inline(always)]
pub unsafe fn add_blocks(
    run: Run,
    some: &[u32],
    x: &Prepared,
    chunks: usize,
    y: *mut f32,
    less: f32,
    whole: impl Fn(*const u8) -> [S8; RUN / 8],
) {
    let numbers = x.x as *const i16;
    let scales = x.x.add(chunks * COLUMNS / 2);
    let mut exact = [I4::splat(0); RUN / LANES];
    let mut sum = 0;
    for pair in some.chunks(2) {
        // One without another is its own neighbour, which counts nothing.
        let [left, right] = [pair[0] as usize, pair[pair.len() - 1] as usize];
        let (a, b) = (*numbers.add(left), if pair.len() == 2 { *numbers.add(right) } else { 0 });
        sum += i32::from(a) + i32::from(b);
        let x = S8::pairs(a, b);
        let columns = [whole(run.column(left)), whole(run.column(right))];
        for i in 0..RUN / 8 {
            let [low, high] = columns[0][i].zip(columns[1][i]);
            exact[2 * i] = exact[2 * i] + low.dot(x);
            exact[2 * i + 1] = exact[2 * i + 1] + high.dot(x);
        }
    }
    let chunk = some.first().map_or(0, |column| *column as usize / COLUMNS);
    let (scale, offset) = (F4::splat(*scales.add(chunk)), F4::splat(-less * sum as f32));
    let own = run.scales(chunk);
    for (i, exact) in exact.into_iter().enumerate() {
        let at = y.add(LANES * i);
        let scale = raised(I4::load_halves(own.add(2 * LANES * i))) * scale;
        F4::load(at).plus_product(exact.to_floats() + offset, scale).store(at);
    }
}

/// Column after column, four rows each, of a block that begins with its scales. `eight(r, i)`: columns 8 i on of row r
#[inline(always)]
pub unsafe fn widen_block(w: *const u8, room: *mut f32, eight: impl Fn(usize, usize) -> S8) {
    let scales = raised(I4::load_halves(w)) * F4::splat(RAISED);
    for i in 0..COLUMNS / (2 * LANES) {
        let rows: [[I4; 2]; GROUP] = core::array::from_fn(|r| eight(r, i).widen());
        let halves = [rows.map(|[low, _]| low.to_floats()), rows.map(|[_, high]| high.to_floats())];
        for (j, column) in halves.map(F4::transposed).into_iter().flatten().enumerate() {
            (column * scales).store(room.add(GROUP * (2 * LANES * i + j)));
        }
    }
}
