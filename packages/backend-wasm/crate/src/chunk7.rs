//! WKV-7 a chunk of 16 tokens at a time: its recurrence as products of small matrices.
//!
//! With P[t] = e^(lw[1] + … + lw[t]) and everything a row of 16 × D, S the state before the chunk:
//!
//! ```text
//! ā[t] = a[t] P[t−1]    r̄[t] = r[t] P[t]    k̂[s] = k[s] P[16] / P[s]    b̂ alike
//! M = rows a: a[t]·(k[s] P[t−1]/P[s]), s < t;  rows r: r[t]·(k[s] P[t]/P[s]), s ≤ t;  the same against b
//! U = ā Sᵀ + M_ak V + M_ab U     what each token removes: a triangular system, solved line by line
//! Y = r̄ Sᵀ + M_rk V + M_rb U
//! S = S diag(P[16]) + Vᵀ k̂ + Uᵀ b̂
//! ```
//!
//! Quotients of P are taken as products of one factor each, counted from the chunk's second token on. That is exact as
//! long as no channel decays below `LEAST` there (`fits`); RWKV-7's own decay comes to e^-9.1 at most.
//! Source: Goose paper (arXiv:2503.14456), appendix on the chunked form.

use crate::math::exp4;
use crate::simd::{F4, LANES};
use crate::tiles::{product, transpose, Left, Matrix, TILE_COLUMNS};

pub const CHUNK: usize = 16;
/// Two stacked blocks of a chunk: k over b, V over U, a over r.
pub const PAIR: usize = 2 * CHUNK;
/// The logarithm of the least decay of a channel within a chunk.
const LEAST: f32 = -60.0;

/// A head's size filled up to whole tiles.
pub const fn padded(size: usize) -> usize {
    size.div_ceil(TILE_COLUMNS) * TILE_COLUMNS
}

/// Where one head's tokens lie in the operands: `size` numbers each, `pitch` from one to the next.
#[derive(Clone, Copy)]
pub struct Head {
    pub r: *const f32,
    pub lw: *const f32,
    pub k: *const f32,
    pub v: *const f32,
    pub a: *const f32,
    pub b: *const f32,
    pub size: usize,
    pub pitch: usize,
}

impl Head {
    /// Of the token `t` after the head's first.
    pub unsafe fn from(&self, t: usize) -> Head {
        let at = t * self.pitch;
        let [r, lw, k, v, a, b] = [self.r, self.lw, self.k, self.v, self.a, self.b].map(|x| x.add(at));
        Head { r, lw, k, v, a, b, ..*self }
    }

    /// Whether the chunked form is exact for so many tokens.
    pub unsafe fn fits(&self, tokens: usize) -> bool {
        for first in (0..tokens).step_by(CHUNK) {
            for j in (0..self.size).step_by(LANES) {
                let mut sum = F4::zero();
                for t in first + 1..tokens.min(first + CHUNK) {
                    sum = sum + load(self.lw.add(t * self.pitch), j, self.size);
                }
                // Not `any sum < LEAST`: NaN must not fit either.
                if !sum.lanes().into_iter().all(|x| x >= LEAST) {
                    return false;
                }
            }
        }
        true
    }
}

/// Numbers j to j + 3 of a row of `size`, zeros behind its end.
#[inline(always)]
pub unsafe fn load(row: *const f32, j: usize, size: usize) -> F4 {
    F4::load_some(row.wrapping_add(j), size.saturating_sub(j))
}

/// The reverse of `load`.
#[inline(always)]
pub unsafe fn store(x: F4, row: *mut f32, j: usize, size: usize) {
    x.store_some(row.wrapping_add(j), size.saturating_sub(j));
}

/// Hands out pieces of a thread's scratch.
pub struct Pieces(*mut f32);

impl Pieces {
    pub fn new(at: *mut f32) -> Pieces {
        Pieces(at)
    }

    pub unsafe fn take(&mut self, count: usize) -> *mut f32 {
        let at = self.0;
        self.0 = at.add(count);
        at
    }
}

/// The matrices of a chunk. D: the padded size
pub struct Chunk {
    pub width: usize,
    /// [32, D]: ā over r̄
    pub reads: *mut f32,
    /// [32, D]: the factors of M, a over r; the first row of a reads nothing of the chunk
    pub left: *mut f32,
    /// [32, D] and [D, 32]: the other factors of M, k over b
    pub right: *mut f32,
    right_across: *mut f32,
    /// [32, D]: k̂ over b̂
    pub writes: *mut f32,
    /// [32, D]: V over U
    pub values: *mut f32,
    /// [32, 32]: rows a over r, columns k beside b
    pub m: *mut f32,
    /// [16, D]: P[t] / P[1]
    pub decay: *mut f32,
    /// [D]: P[1] and P[16]
    pub first: *mut f32,
    pub total: *mut f32,
}

impl Chunk {
    /// The f32 that a chunk takes.
    pub const fn room(width: usize) -> usize {
        (6 * PAIR + CHUNK + 2) * width + PAIR * PAIR
    }

    pub unsafe fn new(pieces: &mut Pieces, width: usize) -> Chunk {
        Chunk {
            width,
            reads: pieces.take(PAIR * width),
            left: pieces.take(PAIR * width),
            right: pieces.take(PAIR * width),
            right_across: pieces.take(PAIR * width),
            writes: pieces.take(PAIR * width),
            values: pieces.take(PAIR * width),
            m: pieces.take(PAIR * PAIR),
            decay: pieces.take(CHUNK * width),
            first: pieces.take(width),
            total: pieces.take(width),
        }
    }

    pub fn matrix(&self, at: *const f32) -> Matrix<*const f32> {
        Matrix::new(at, self.width)
    }

    /// Takes in `count` tokens, 16 at most; the rest of the chunk is zeros. Makes all but M and U.
    pub unsafe fn take(&self, head: &Head, count: usize) {
        let half = CHUNK * self.width;
        for j in (0..self.width).step_by(LANES) {
            let one = F4::splat(1.0);
            let (mut first, mut decay) = (one, one);
            for t in 0..CHUNK {
                let at = t * self.width + j;
                let token =
                    |x: *const f32| if t < count { load(x.add(t * head.pitch), j, head.size) } else { F4::zero() };
                let before = decay;
                let w = exp4(token(head.lw));
                if t == 0 {
                    first = w;
                } else {
                    decay = decay * w;
                }
                let (a, r, inverse) = (token(head.a), token(head.r), one / decay);
                (if t == 0 { a } else { a * (first * before) }).store(self.reads.add(at));
                (r * (first * decay)).store(self.reads.add(half + at));
                (if t == 0 { F4::zero() } else { a * before }).store(self.left.add(at));
                (r * decay).store(self.left.add(half + at));
                (token(head.k) * inverse).store(self.right.add(at));
                (token(head.b) * inverse).store(self.right.add(half + at));
                token(head.v).store(self.values.add(at));
                decay.store(self.decay.add(at));
            }
            first.store(self.first.add(j));
            (first * decay).store(self.total.add(j));
            for row in 0..PAIR {
                let at = row * self.width + j;
                (F4::load(self.right.add(at)) * decay).store(self.writes.add(at));
            }
        }
    }

    /// Makes M of what was taken in.
    pub unsafe fn relate(&self) {
        transpose(self.matrix(self.right), Matrix::new(self.right_across, PAIR), PAIR, self.width);
        product(
            Left::Rows,
            self.matrix(self.left),
            Matrix::new(self.right_across, PAIR),
            Matrix::new(self.m, PAIR),
            PAIR,
            self.width,
            PAIR,
            false,
        );
        mask(self.m);
    }

    /// U from the state before [16, D], and with twice the `rows` what r reads below it: Y, but only what the state gives of it.
    /// across: Sᵀ [D (key), D (value)]; answers: [rows, D]
    pub unsafe fn solve(&self, across: *const f32, answers: *mut f32, rows: usize) {
        let width = self.width;
        let (reads, state) = (self.matrix(self.reads), self.matrix(across));
        product(Left::Rows, reads, state, Matrix::new(answers, width), rows, width, width, false);
        let of_values = Matrix::new(self.m as *const f32, PAIR);
        let u = Matrix::new(answers, width);
        product(Left::Rows, of_values, self.matrix(self.values), u, CHUNK, CHUNK, width, true);
        for column in (0..width).step_by(TILE_COLUMNS) {
            for t in 1..CHUNK {
                let row = answers.add(t * width + column);
                let mut sum = [F4::load(row), F4::load(row.add(LANES))];
                for s in 0..t {
                    let m = F4::splat(*self.m.add(t * PAIR + CHUNK + s));
                    let other = answers.add(s * width + column);
                    sum[0] = sum[0].plus_product(m, F4::load(other));
                    sum[1] = sum[1].plus_product(m, F4::load(other.add(LANES)));
                }
                sum[0].store(row);
                sum[1].store(row.add(LANES));
            }
        }
        core::ptr::copy_nonoverlapping(answers as *const f32, self.values.add(CHUNK * width), CHUNK * width);
    }

    /// Sᵀ after the chunk, in place. across: [D (key), D (value)]
    pub unsafe fn advance(&self, across: *mut f32) {
        let width = self.width;
        for key in 0..width {
            let total = F4::splat(*self.total.add(key));
            let row = across.add(key * width);
            for i in (0..width).step_by(LANES) {
                (F4::load(row.add(i)) * total).store(row.add(i));
            }
        }
        let (writes, values) = (self.matrix(self.writes), self.matrix(self.values));
        product(Left::Columns, writes, values, Matrix::new(across, width), width, PAIR, width, true);
    }
}

/// Leaves in M what a token may read: a what came before it, r also its own. m: [32, 32]
pub unsafe fn mask(m: *mut f32) {
    for t in 0..CHUNK {
        for s in t..CHUNK {
            for block in [0, CHUNK] {
                *m.add(t * PAIR + block + s) = 0.0;
                if s > t {
                    *m.add((CHUNK + t) * PAIR + block + s) = 0.0;
                }
            }
        }
    }
}

/// y = xᵀ of [size, size] into [D, D], zeros around it.
pub unsafe fn padded_transpose(x: *const f32, y: *mut f32, size: usize, width: usize) {
    core::ptr::write_bytes(y, 0, width * width);
    transpose(Matrix::new(x, size), Matrix::new(y, width), size, size);
}
