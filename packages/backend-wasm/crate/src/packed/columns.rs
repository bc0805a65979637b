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

    /// y += the products of a run with those columns of x that are named. run: its column 0; x: of all columns; chunk: the
    /// number of this one among `chunks`; y: [RUN], before `Prepared::scale`
    unsafe fn add(run: Run, named: &[usize], x: &Prepared, chunk: usize, chunks: usize, y: *mut f32);

    /// What the numbers of four rows, from `row` of a run on, are multiplied by.
    unsafe fn scales(_scales: *const u8, _row: usize) -> F4 {
        F4::splat(1.0)
    }

    /// The numbers of four rows, from `row` of a run on, of one column, before their scales.
    unsafe fn four(run: *const u8, row: usize) -> F4;
}

/// Some rows of a chunk, column by column.
#[derive(Clone, Copy)]
pub struct Run {
    pub scales: *const u8,
    /// Column 0, and the bytes from one column to the next.
    pub at: *const u8,
    pub pitch: usize,
}

impl Run {
    #[inline(always)]
    pub unsafe fn column(&self, column: usize) -> *const u8 {
        self.at.add(column * self.pitch)
    }
}

/// y += the products of columns of plain numbers with x. `widen`: the 32 numbers of a run of a column
#[inline(always)]
pub unsafe fn add_plain(
    run: Run,
    named: &[usize],
    x: *const f32,
    y: *mut f32,
    widen: impl Fn(*const u8) -> [F4; RUN / LANES],
) {
    let mut sums: [F4; RUN / LANES] = core::array::from_fn(|i| F4::load(y.add(LANES * i)));
    for &column in named {
        let x = F4::load_splat(x.add(column));
        for (sum, w) in sums.iter_mut().zip(widen(run.column(column))) {
            *sum = sum.plus_product(w, x);
        }
    }
    for (i, sum) in sums.into_iter().enumerate() {
        sum.store(y.add(LANES * i));
    }
}

/// Bytes of a chunk of weights with so many runs.
const fn chunk_bytes<F: Columns>(runs: usize) -> usize {
    runs * (F::SCALES_BYTES + RUN * F::RUN_BYTES)
}

/// The run of a chunk that has this number.
unsafe fn run_of<F: Columns>(w: *const u8, chunk: usize, run: usize, runs: usize) -> Run {
    let chunk = w.add(chunk * chunk_bytes::<F>(runs));
    let pitch = runs * F::RUN_BYTES;
    Run { scales: chunk.add(run * F::SCALES_BYTES), at: chunk.add(runs * F::SCALES_BYTES + run * F::RUN_BYTES), pitch }
}

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
        for (run, chunk) in (begin..end).flat_map(|run| (0..chunks).map(move |chunk| (run, chunk))) {
            let stored: [*const u8; RUN] = core::array::from_fn(|r| {
                let row = run * RUN + r;
                let begin = F::STORED * RUN * chunk / F::BLOCK;
                if row < rows {
                    from.add(row * pitch + begin)
                } else {
                    zeros.as_ptr()
                }
            });
            let Run { scales, at, pitch } = run_of::<F>(to, chunk, first / RUN + run, runs);
            let columns = RUN.min(inner - chunk * RUN);
            went = went.max(F::lay(&stored, columns, scales.cast_mut(), at.cast_mut(), pitch));
        }
        worst.fetch_max(went as u32, Ordering::Relaxed);
    });
}

/// The f32 of scratch that a team needs for `rows` of `inner` numbers and as many of `outer`.
pub fn scratch(threads: usize, rows: usize, inner: usize, outer: usize) -> usize {
    let own = MOST_FEW * room(inner) + outer.next_multiple_of(RUN);
    (threads * own).max(gemm::scratch(threads, rows, inner))
}

/// y = x @ wᵀ for an x of many zeros. x: [rows, inner]; w: packed, [outer, inner]; y: [rows, outer]; room: [`scratch`]
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
    let runs = outer.div_ceil(RUN);
    if rows <= F::FEW {
        let own = MOST_FEW * room(inner) + outer.next_multiple_of(RUN);
        few::<F>(team, x, w, y, scratch.add(team.id * own), Sizes { rows, inner, outer });
        return;
    }
    gemm(team, x, y, Sizes { rows, inner, outer }, scratch, |group, first, columns, room| {
        let (run, row) = (group * LANES / RUN, group * LANES % RUN);
        for begin in (0..columns).step_by(RUN) {
            let run = run_of::<F>(w, (first + begin) / RUN, run, runs);
            let scales = F::scales(run.scales, row);
            for column in 0..RUN.min(columns - begin) {
                let four = F::four(run.column(column), row) * scales;
                four.store(room.add(LANES * (begin + column)));
            }
        }
        room
    });
}

/// Each row of x reads the columns that it needs; a thread takes rows of w that are many cache lines side by side.
#[inline(never)]
unsafe fn few<F: Columns>(team: &Team, x: *const f32, w: *const u8, y: *mut f32, scratch: *mut f32, sizes: Sizes) {
    let Sizes { rows, inner, outer } = sizes;
    let (runs, chunks) = (outer.div_ceil(RUN), inner.div_ceil(RUN));
    let prepared: [Option<Prepared>; MOST_FEW] =
        core::array::from_fn(|n| (n < rows).then(|| F::prepare(x.add(n * inner), inner, scratch.add(n * room(inner)))));
    let sums = scratch.add(MOST_FEW * room(inner));
    team.share(runs, runs.div_ceil(2 * team.size), |begin, end| {
        for (n, prepared) in prepared.iter().flatten().enumerate() {
            core::ptr::write_bytes(sums, 0, (end - begin) * RUN);
            for chunk in 0..chunks {
                let (mut named, mut count) = ([0; RUN], 0);
                for column in 0..RUN.min(inner - chunk * RUN) {
                    named[count] = column;
                    // NaN is not 0: it goes on.
                    count += usize::from(*x.add(n * inner + chunk * RUN + column) != 0.0);
                }
                for run in if count > 0 { begin..end } else { 0..0 } {
                    let y = sums.add((run - begin) * RUN);
                    F::add(run_of::<F>(w, chunk, run, runs), &named[..count], prepared, chunk, chunks, y);
                }
            }
            let some = begin * RUN..outer.min(end * RUN);
            crate::simd::map(sums, y.add(n * outer + some.start), some.len(), |sum| sum * F4::splat(prepared.scale));
        }
    });
}
