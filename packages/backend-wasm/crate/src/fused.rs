//! Ops on single elements, several in one pass: what one makes for the next stays in the nearest cache.
//!
//! A tape says what to do, in words:
//!
//! ```text
//! rank, sizes[rank]                          the index space, as everything that is made fills it
//! inputs, (address, strides[rank]), …        what is read; a stride is 0 where an input is repeated
//! ops, (function, a, b, c, buffer, address), …
//! ```
//!
//! An address is that of the register that holds it: some differ from run to run.
//! a, b, c number what is read: inputs first, then results in their order. A result goes to the buffer of its number in
//! scratch, or straight to memory when it has an address.

use crate::axes::MAX_RANK;
use crate::math::{exp4, ln, sigmoid4, tanh4};
use crate::simd::{Mask, F4, LANES};
use crate::team::Team;

/// Elements that go through all ops at a time.
const TILE: usize = 256;
/// The most inputs and results of a tape.
pub const MOST: usize = 64;

/// The f32 of scratch of each thread, for so many inputs and buffers.
pub const fn scratch(buffers: usize) -> usize {
    buffers * TILE
}

#[derive(Clone, Copy)]
struct Input {
    at: *const f32,
    strides: [usize; MAX_RANK],
    lies: Lies,
}

/// How an input lies in the index space.
#[derive(Clone, Copy, PartialEq)]
enum Lies {
    /// Like what is made.
    Alike,
    /// The same for every row; `true`: one number throughout.
    Repeated(bool),
    Otherwise,
}

struct Space {
    rank: usize,
    sizes: [usize; MAX_RANK],
    width: usize,
    rows: usize,
}

/// A piece of the index space: rows that are as wide as it, or a part of one row.
#[derive(Clone, Copy)]
struct Piece {
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
}

/// tape: see above; scratch: `scratch` of each thread; buffers: inputs, and results that are not stored at once
pub unsafe fn fused(team: &Team, tape: *const u64, scratch: *mut f32, buffers: usize, _: usize, _: usize) {
    let (space, mut tape) = Space::read(tape);
    let mut inputs = [Input { at: core::ptr::null(), strides: [0; MAX_RANK], lies: Lies::Otherwise }; MOST];
    let count = next(&mut tape);
    for input in inputs.iter_mut().take(count) {
        *input = Input::read(&space, &mut tape);
    }
    let inputs = &inputs[..count];
    let room = scratch.add(team.id * self::scratch(buffers));
    let together = (TILE / space.width.max(1)).max(1);
    for (i, input) in inputs.iter().enumerate() {
        if let Lies::Repeated(single) = input.lies {
            fill(input.at, room.add(i * TILE), single, space.width, together);
        }
    }
    let run = |piece: Piece| run(&space, inputs, tape, room, piece);
    let Space { width, rows, .. } = space;
    if width == 0 {
        return;
    }
    if rows == 1 {
        return team.share(width, TILE, |begin, end| {
            for column in (begin..end).step_by(TILE) {
                run(Piece { row: 0, rows: 1, column, columns: TILE.min(end - column) });
            }
        });
    }
    team.share(rows, together, |begin, end| {
        for row in (begin..end).step_by(together) {
            for column in (0..width).step_by(TILE) {
                run(Piece { row, rows: together.min(end - row), column, columns: TILE.min(width - column) });
            }
        }
    });
}

unsafe fn next(tape: &mut *const u64) -> usize {
    let word = **tape;
    *tape = tape.add(1);
    word as usize
}

impl Space {
    unsafe fn read(mut tape: *const u64) -> (Space, *const u64) {
        let rank = next(&mut tape).clamp(1, MAX_RANK);
        let mut sizes = [1; MAX_RANK];
        for size in sizes.iter_mut().take(rank) {
            *size = next(&mut tape);
        }
        let rows = sizes[..rank - 1].iter().product();
        (Space { rank, sizes, width: sizes[rank - 1], rows }, tape)
    }
}

impl Input {
    unsafe fn read(space: &Space, tape: &mut *const u64) -> Input {
        let at = *(next(tape) as *const u64) as *const f32;
        let mut strides = [0; MAX_RANK];
        for stride in strides.iter_mut().take(space.rank) {
            *stride = next(tape);
        }
        let last = space.rank - 1;
        let (mut alike, mut below) = (true, 1);
        for axis in (0..space.rank).rev() {
            alike &= strides[axis] == below;
            below *= space.sizes[axis];
        }
        let lies = if alike {
            Lies::Alike
        } else if strides[..last].iter().all(|&stride| stride == 0) {
            Lies::Repeated(strides[last] == 0)
        } else {
            Lies::Otherwise
        };
        Input { at, strides, lies }
    }

    /// Where its part of a row begins.
    fn row(&self, space: &Space, row: usize) -> usize {
        let (mut offset, mut rest) = (0, row);
        for axis in (0..space.rank - 1).rev() {
            offset += rest % space.sizes[axis] * self.strides[axis];
            rest /= space.sizes[axis];
        }
        offset
    }

    /// Its numbers of a piece, copied to `room` unless they lie together.
    unsafe fn take(&self, space: &Space, piece: Piece, room: *mut f32) -> *const f32 {
        match self.lies {
            Lies::Alike => self.at.add(piece.row * space.width + piece.column),
            Lies::Repeated(true) => room,
            Lies::Repeated(false) if space.width <= TILE => room,
            Lies::Repeated(false) => self.at.add(piece.column),
            Lies::Otherwise => {
                let step = self.strides[space.rank - 1];
                for i in 0..piece.rows {
                    let from = self.at.add(self.row(space, piece.row + i) + piece.column * step);
                    let to = room.add(i * piece.columns);
                    match step {
                        0 => splat(*from, to, piece.columns),
                        _ => core::ptr::copy_nonoverlapping(from, to, piece.columns),
                    }
                }
                room
            }
        }
    }
}

/// Lays an input that is the same for every row, as often as rows are taken together.
unsafe fn fill(from: *const f32, to: *mut f32, single: bool, width: usize, rows: usize) {
    if single {
        splat(*from, to, TILE);
    } else if width <= TILE {
        for row in 0..rows {
            core::ptr::copy_nonoverlapping(from, to.add(row * width), width);
        }
    }
}

unsafe fn splat(x: f32, to: *mut f32, count: usize) {
    for i in 0..count {
        *to.add(i) = x;
    }
}

unsafe fn run(space: &Space, inputs: &[Input], mut tape: *const u64, room: *mut f32, piece: Piece) {
    let mut read: [*const f32; MOST] = [core::ptr::null(); MOST];
    for (i, input) in inputs.iter().enumerate() {
        read[i] = input.take(space, piece, room.add(i * TILE));
    }
    let position = piece.row * space.width + piece.column;
    let count = piece.rows * piece.columns;
    for slot in inputs.len()..inputs.len() + next(&mut tape) {
        let function = next(&mut tape);
        let [a, b, c] = core::array::from_fn(|_| read[next(&mut tape) % MOST]);
        let (buffer, register) = (next(&mut tape), next(&mut tape) as *const u64);
        let y = if register.is_null() { room.add(buffer * TILE) } else { (*register as *mut f32).add(position) };
        apply(function, [a, b, c], y, count);
        read[slot % MOST] = y;
    }
}

unsafe fn apply(function: usize, [a, b, c]: [*const f32; 3], y: *mut f32, count: usize) {
    let one = F4::splat(1.0);
    match function {
        0 => each1(a, y, count, |x| -x),
        1 => each1(a, y, count, F4::abs),
        2 => each1(a, y, count, exp4),
        3 => each1(a, y, count, |x| {
            let lanes = x.lanes().map(ln);
            F4::load(lanes.as_ptr())
        }),
        4 => each1(a, y, count, F4::sqrt),
        5 => each1(a, y, count, |x| one / x),
        6 => each1(a, y, count, sigmoid4),
        7 => each1(a, y, count, tanh4),
        8 => each1(a, y, count, |x| x.at_least(F4::zero())),
        16 => each2(a, b, y, count, |p, q| p + q),
        17 => each2(a, b, y, count, |p, q| p - q),
        18 => each2(a, b, y, count, |p, q| p * q),
        19 => each2(a, b, y, count, |p, q| p / q),
        20 => each2(a, b, y, count, F4::min),
        21 => each2(a, b, y, count, F4::max),
        32 => each2(a, b, y, count, |p, q| p.eq(q).whole()),
        33 => each2(a, b, y, count, |p, q| p.lt(q).whole()),
        34 => each2(a, b, y, count, |p, q| p.le(q).whole()),
        35 => each2(a, b, y, count, |p, q| q.lt(p).whole()),
        36 => each2(a, b, y, count, |p, q| q.le(p).whole()),
        _ => {
            for i in (0..count).step_by(LANES) {
                let some = count - i;
                let four = |x: *const f32| F4::load_some(x.add(i), some);
                Mask::of_whole(four(a)).select(four(b), four(c)).store_some(y.add(i), some);
            }
        }
    }
}

#[inline(always)]
unsafe fn each1(a: *const f32, y: *mut f32, count: usize, f: impl Fn(F4) -> F4) {
    let whole = F4::lanes_before(count);
    for i in (0..whole).step_by(LANES) {
        f(F4::load(a.add(i))).store(y.add(i));
    }
    if whole < count {
        let some = count - whole;
        f(F4::load_some(a.add(whole), some)).store_some(y.add(whole), some);
    }
}

#[inline(always)]
unsafe fn each2(a: *const f32, b: *const f32, y: *mut f32, count: usize, f: impl Fn(F4, F4) -> F4) {
    let whole = F4::lanes_before(count);
    for i in (0..whole).step_by(LANES) {
        f(F4::load(a.add(i)), F4::load(b.add(i))).store(y.add(i));
    }
    if whole < count {
        let some = count - whole;
        f(F4::load_some(a.add(whole), some), F4::load_some(b.add(whole), some)).store_some(y.add(whole), some);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = (x + row) · column, and where x < 0 the sum instead; x: [rows, width], row: [width], column: [rows, 1]
    fn check(rows: usize, width: usize) {
        let x: Vec<f32> = (0..rows * width).map(|i| (i % 7) as f32 - 3.0).collect();
        let row: Vec<f32> = (0..width).map(|i| i as f32).collect();
        let column: Vec<f32> = (0..rows).map(|i| i as f32 + 0.5).collect();
        let zero = vec![0.0f32];
        let (mut sums, mut y) = (vec![9.0f32; rows * width], vec![9.0f32; rows * width]);
        let mut scratch = vec![0.0f32; self::scratch(6)];
        let read = [&x, &row, &column, &zero].map(|values: &Vec<f32>| values.as_ptr() as u64);
        let registers = [read.as_slice(), &[sums.as_mut_ptr() as u64, y.as_mut_ptr() as u64]].concat();
        let [x_at, row_at, column_at, zero_at, sums_at, y_at] =
            core::array::from_fn(|i| unsafe { registers.as_ptr().add(i) } as u64);
        let w = width as u64;
        let tape = [
            [2, rows as u64, w].as_slice(),
            &[4, x_at, w, 1, row_at, 0, 1, column_at, 1, 0, zero_at, 0, 0],
            &[4, 16, 0, 1, 0, 0, sums_at, 18, 4, 2, 0, 4, 0, 33, 0, 3, 0, 5, 0, 48, 6, 4, 5, 0, y_at],
        ]
        .concat();
        unsafe { fused(&Team::alone(), tape.as_ptr(), scratch.as_mut_ptr(), 6, 4, rows * width) };
        for (i, &x) in x.iter().enumerate() {
            let sum = x + row[i % width];
            assert_eq!(sums[i], sum);
            assert_eq!(y[i], if x < 0.0 { sum } else { sum * column[i / width] });
        }
    }

    #[test]
    fn rows_of_every_width_go_through_all_ops() {
        for (rows, width) in [(1, 1), (3, 5), (7, 64), (9, 128), (2, 300), (5, 256)] {
            check(rows, width);
        }
    }
}
