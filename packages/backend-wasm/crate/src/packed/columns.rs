//! Weights for an x of many zeros, which is what relu² gives: column by column, so that the columns of zeros are never read.
//!
//! ```text
//! chunk of 32 columns                                                           next chunk
//! ┌ scales ─────────────────┬ column 0 ─────────────────┬ column 1 ─────────┬ … ┌ scales …
//! │ rows 0…31 │ 32…63 │ …   │ rows 0…31 │ 32…63 │ …     │ rows 0…31 │ …     │   │
//! └─────────────────────────┴───────────────────────────┴───────────────────┴   └
//! ```
//!
//! Blocks have a scale a row and chunk, as they have where they come from; other types have none. The last rows of all are
//! filled up with zeros, the last columns of all with nothing: they are not read.

use super::{room, Format, Packing, Prepared, MOST_FEW};
use crate::gemm::{self, gemm, Sizes};
use crate::simd::{F4, LANES};
use crate::team::Team;
use core::sync::atomic::{AtomicU32, Ordering};

/// Rows of a run, and columns of a chunk.
pub const RUN: usize = 32;

/// A type of weights, column by column.
pub trait Columns: Format {
    /// Bytes of a run of one column.
    const RUN_BYTES: usize;
    /// Bytes of the scales of a run.
    const SCALES_BYTES: usize = 0;

    /// Packs a run of `columns` columns of a chunk. from: where each row has it, as stored; to: its first column, and
    /// from there on each `pitch` bytes after the one before
    unsafe fn lay(from: &[*const u8; RUN], columns: usize, scales: *mut u8, to: *mut u8, pitch: usize) -> Packing;

    /// y += the products of a run with some columns of x, of one chunk where there are scales. run: of all columns;
    /// chunks: of all x; y: [RUN], before `Prepared::scale`
    unsafe fn add(run: Run, some: &[u32], x: &Prepared, chunks: usize, y: *mut f32);

    /// What the numbers of four rows, from `row` of a run on, are multiplied by.
    unsafe fn scales(_scales: *const u8, _row: usize) -> F4 {
        F4::splat(1.0)
    }

    /// The numbers of four rows, from `row` of a run on, of one column, before their scales.
    unsafe fn four(run: *const u8, row: usize) -> F4;
}

/// Columns that are read at the same time, as streams along their rows; a processor fetches ahead of about as many.
const STREAMS: usize = 8;

/// Some rows of a weight, column by column.
#[derive(Clone, Copy)]
pub struct Run {
    /// The scales of chunk 0, and the bytes from one chunk to the next.
    scales: *const u8,
    chunk: usize,
    /// Column 0, and the bytes from one column to the next.
    at: *const u8,
    pitch: usize,
}

impl Run {
    unsafe fn new<F: Columns>(w: *const u8, run: usize, runs: usize) -> Run {
        Run {
            scales: w.add(run * F::SCALES_BYTES),
            chunk: runs * (F::SCALES_BYTES + RUN * F::RUN_BYTES),
            at: w.add(runs * F::SCALES_BYTES + run * F::RUN_BYTES),
            pitch: runs * F::RUN_BYTES,
        }
    }

    #[inline(always)]
    pub unsafe fn scales(&self, chunk: usize) -> *const u8 {
        self.scales.add(chunk * self.chunk)
    }

    #[inline(always)]
    pub unsafe fn column(&self, column: usize) -> *const u8 {
        self.at.add(column / RUN * self.chunk + column % RUN * self.pitch)
    }
}

/// y += the products of columns of plain numbers with x. `widen`: the 32 numbers of a run of a column
#[inline(always)]
pub unsafe fn add_plain(
    run: Run,
    some: &[u32],
    x: &Prepared,
    y: *mut f32,
    widen: impl Fn(*const u8) -> [F4; RUN / LANES],
) {
    let mut sums: [F4; RUN / LANES] = core::array::from_fn(|i| F4::load(y.add(LANES * i)));
    for &column in some {
        let x = F4::load_splat(x.x.add(column as usize));
        for (sum, w) in sums.iter_mut().zip(widen(run.column(column as usize))) {
            *sum = sum.plus_product(w, x);
        }
    }
    for (i, sum) in sums.into_iter().enumerate() {
        sum.store(y.add(LANES * i));
    }
}

/// Chunks that are packed one after the other for all runs: the pages that are written stay the same meanwhile.
const CHUNKS: usize = 4;

/// Packs rows `first` to before `first` + `rows` of a weight: both are whole runs, but for the last rows of all.
/// from: [rows, inner] as stored; to: the whole weight; worst: raised to how it went
pub unsafe fn pack_columns<F: Columns>(
    team: &Team,
    from: *const u8,
    to: *mut u8,
    first: usize,
    rows: usize,
    inner: usize,
    outer: usize,
    worst: &AtomicU32,
) {
    let (runs, chunks) = (outer.div_ceil(RUN), inner.div_ceil(RUN));
    let pitch = F::STORED * inner / F::BLOCK;
    let zeros = [0u8; 4 * RUN];
    team.share(rows.div_ceil(RUN), 1, |begin, end| {
        let mut went = Packing::Done;
        let blocks = (0..chunks).step_by(CHUNKS).map(|first| first..chunks.min(first + CHUNKS));
        let places =
            blocks.flat_map(|block| (begin..end).flat_map(move |run| block.clone().map(move |chunk| (run, chunk))));
        for (run, chunk) in places {
            let mut stored = [zeros.as_ptr(); RUN];
            let begin = F::STORED * RUN * chunk / F::BLOCK;
            for (row, at) in (run * RUN..rows).zip(&mut stored) {
                *at = from.add(row * pitch + begin);
            }
            let columns = RUN.min(inner - chunk * RUN);
            let to = Run::new::<F>(to, first / RUN + run, runs);
            let (scales, at) = (to.scales(chunk).cast_mut(), to.column(chunk * RUN).cast_mut());
            went = went.max(F::lay(&stored, columns, scales, at, to.pitch));
        }
        worst.fetch_max(went as u32, Ordering::Relaxed);
    });
}

/// The f32 of scratch of a thread for few rows of x: these made ready, the columns of one, and the sums of one.
const fn own_scratch(inner: usize, outer: usize) -> usize {
    MOST_FEW * room(inner) + inner + 1 + outer.next_multiple_of(RUN)
}

/// The f32 of scratch that a team needs for `rows` of `inner` numbers and as many of `outer`.
pub fn scratch(threads: usize, rows: usize, inner: usize, outer: usize) -> usize {
    (threads * own_scratch(inner, outer)).max(gemm::scratch(threads, rows, inner))
}

/// y = x @ wᵀ for an x of many zeros. x: [rows, inner]; w: packed, [outer, inner]; y: [rows, outer]; scratch: [`scratch`]
pub unsafe fn product_of_columns<F: Columns>(
    team: &Team,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    let sizes = Sizes { rows, inner, outer };
    if rows <= F::FEW {
        few::<F>(team, x, w, y, scratch.add(team.id * own_scratch(inner, outer)), sizes);
        return;
    }
    let runs = outer.div_ceil(RUN);
    gemm(team, x, y, sizes, scratch, &|group, first, columns, room| {
        let (run, row) = (Run::new::<F>(w, group * LANES / RUN, runs), group * LANES % RUN);
        for begin in (0..columns).step_by(RUN) {
            let scales = F::scales(run.scales((first + begin) / RUN), row);
            for column in begin..columns.min(begin + RUN) {
                let four = F::four(run.column(first + column), row) * scales;
                four.store(room.add(LANES * column));
            }
        }
        room
    });
}

/// Each row of x reads the columns that it needs, some at a time.
#[inline(never)]
unsafe fn few<F: Columns>(team: &Team, x: *const f32, w: *const u8, y: *mut f32, scratch: *mut f32, sizes: Sizes) {
    let Sizes { rows, inner, outer } = sizes;
    let (runs, chunks) = (outer.div_ceil(RUN), inner.div_ceil(RUN));
    let prepared: [Option<Prepared>; MOST_FEW] =
        core::array::from_fn(|n| (n < rows).then(|| F::prepare(x.add(n * inner), inner, scratch.add(n * room(inner)))));
    let columns = scratch.add(MOST_FEW * room(inner)) as *mut u32;
    let sums = columns.add(inner + 1) as *mut f32;
    team.share(runs, runs.div_ceil(2 * team.size), |begin, end| {
        for (n, prepared) in prepared.iter().flatten().enumerate() {
            let listed = list(x.add(n * inner), inner, columns);
            core::ptr::write_bytes(sums, 0, (end - begin) * RUN);
            let mut rest = listed;
            while let Some(&first) = rest.first() {
                let mut count = STREAMS.min(rest.len());
                while F::SCALES_BYTES > 0 && rest[count - 1] / RUN as u32 != first / RUN as u32 {
                    count -= 1;
                }
                let (some, others) = rest.split_at(count);
                for run in begin..end {
                    F::add(Run::new::<F>(w, run, runs), some, prepared, chunks, sums.add((run - begin) * RUN));
                }
                rest = others;
            }
            let (first, count) = (begin * RUN, outer.min(end * RUN) - begin * RUN);
            crate::simd::map(sums, y.add(n * outer + first), count, |sum| sum * F4::splat(prepared.scale));
        }
    });
}

/// The columns of x that are not zero. room: [inner + 1]
unsafe fn list<'a>(x: *const f32, inner: usize, room: *mut u32) -> &'a [u32] {
    let mut count = 0;
    for column in 0..inner {
        *room.add(count) = column as u32;
        // NaN is not 0: it goes on.
        count += usize::from(*x.add(column) != 0.0);
    }
    core::slice::from_raw_parts(room, count)
}
