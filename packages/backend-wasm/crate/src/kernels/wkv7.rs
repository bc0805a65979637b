use crate::chunk7::{padded, padded_transpose, store, Chunk, Head, Pieces, CHUNK, PAIR};
use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{dot, map, F4, LANES};
use crate::team::Team;
use crate::tiles::{product, transpose, Left, Matrix};

/// Tokens of a sequence from which on chunks are faster than one token after the other.
const WORTH_CHUNKS: usize = 12;

/// The f32 of scratch that each thread needs.
pub const fn scratch(size: usize) -> usize {
    let width = padded(size);
    Chunk::room(width) + (width + PAIR) * width
}

/// r, lw, k, v, a, b, y: [tokens, heads, size]; s0, s: [sequences, heads, size (value), size (key)], or the pool
/// [pool_rows, …] when there are slots; scratch: `scratch` of each thread. Threads share the heads.
pub unsafe fn wkv7(
    team: &Team,
    r: *const f32,
    lw: *const f32,
    k: *const f32,
    v: *const f32,
    a: *const f32,
    b: *const f32,
    s0: *const f32,
    starts: *const i32,
    slots: *const i32,
    y: *mut f32,
    s: *mut f32,
    scratch: *mut f32,
    tokens: usize,
    sequences: usize,
    heads: usize,
    size: usize,
    pool_rows: usize,
) {
    let batch = Sequences { starts, slots, count: sequences, tokens, rows: pool_rows };
    let area = size * size;
    let decay = scratch.add(team.id * self::scratch(size));
    let quads = if size.is_multiple_of(LANES) { size } else { 0 };
    batch.share_heads(team, heads, |row, head, begin, end| {
        let place = (row * heads + head) * area;
        let state = s.add(place);
        batch.begin_state(s0.add(place), state, area);
        let at = (begin * heads + head) * size;
        let pitch = heads * size;
        let [r, lw, k, v, a, b] = [r, lw, k, v, a, b].map(|x| x.add(at));
        let y = y.add(at);
        let whole = Head { r, lw, k, v, a, b, size, pitch };
        if end - begin >= WORTH_CHUNKS && whole.fits(end - begin) {
            return in_chunks(&whole, state, y, decay, end - begin);
        }
        for t in 0..end - begin {
            let at = t * pitch;
            map(lw.add(at), decay, size, exp4);
            let token = Token { w: decay, r: r.add(at), k: k.add(at), a: a.add(at), b: b.add(at) };
            for i in (0..quads).step_by(LANES) {
                step4(state.add(i * size), v.add(at + i), &token, size).store(y.add(at + i));
            }
            for i in quads..size {
                *y.add(at + i) = step(state.add(i * size), *v.add(at + i), &token, size);
            }
        }
    });
}

/// All tokens of one head; y like its other operands. state: [size (value), size (key)]
unsafe fn in_chunks(head: &Head, state: *mut f32, y: *mut f32, scratch: *mut f32, tokens: usize) {
    let (size, width) = (head.size, padded(head.size));
    let mut pieces = Pieces::new(scratch);
    let chunk = Chunk::new(&mut pieces, width);
    let (across, answers) = (pieces.take(width * width), pieces.take(PAIR * width));
    padded_transpose(state, across, size, width);
    for first in (0..tokens).step_by(CHUNK) {
        let count = CHUNK.min(tokens - first);
        chunk.take(&head.from(first), count);
        chunk.relate();
        chunk.solve(across, answers, PAIR);
        // Y, the lower half: what the chunk itself holds is added to what the state gave.
        let (m, values) = (Matrix::new(chunk.m.add(CHUNK * PAIR) as *const f32, PAIR), chunk.matrix(chunk.values));
        let own = answers.add(CHUNK * width);
        product(Left::Rows, m, values, Matrix::new(own, width), CHUNK, PAIR, width, true);
        for t in 0..count {
            for j in (0..size).step_by(LANES) {
                store(F4::load(own.add(t * width + j)), y.add((first + t) * head.pitch), j, size);
            }
        }
        chunk.advance(across);
    }
    transpose(Matrix::new(across, width), Matrix::new(state, size), size, size);
}

/// The same as `step` for four lines, which share what is read of the token. s: [4, size]; v: [4]
#[inline(always)]
unsafe fn step4(s: *mut f32, v: *const f32, token: &Token, size: usize) -> F4 {
    let &Token { w, r, k, a, b } = token;
    let mut removed = [F4::zero(); LANES];
    for j in (0..size).step_by(LANES) {
        let a = F4::load(a.add(j));
        for (line, sum) in removed.iter_mut().enumerate() {
            *sum = sum.plus_product(F4::load(s.add(line * size + j)), a);
        }
    }
    let removed = F4::sums(removed).lanes().map(F4::splat);
    let v: [F4; LANES] = core::array::from_fn(|line| F4::splat(*v.add(line)));
    let mut sums = [F4::zero(); LANES];
    for j in (0..size).step_by(LANES) {
        let [w, b, k, r] = [w, b, k, r].map(|x| F4::load(x.add(j)));
        for line in 0..LANES {
            let at = s.add(line * size + j);
            let new = (F4::load(at) * w).plus_product(removed[line], b).plus_product(v[line], k);
            new.store(at);
            sums[line] = sums[line].plus_product(new, r);
        }
    }
    F4::sums(sums)
}

/// One token of one head. All: [size]
pub struct Token {
    /// The decay e^lw.
    pub w: *const f32,
    pub r: *const f32,
    pub k: *const f32,
    pub a: *const f32,
    pub b: *const f32,
}

/// Moves one line of the state [size (key)] on by a token and reads it: s = s ⊙ w + (s·a) b + v k; s·r
#[inline(always)]
pub unsafe fn step(s: *mut f32, v: f32, token: &Token, size: usize) -> f32 {
    let &Token { w, r, k, a, b } = token;
    let removed = dot(s, a, size);
    let (removed4, v4) = (F4::splat(removed), F4::splat(v));
    let whole = F4::lanes_before(size);
    let mut sums = F4::zero();
    let mut j = 0;
    while j < whole {
        let kept = F4::load(s.add(j)) * F4::load(w.add(j));
        let new = kept.plus_product(removed4, F4::load(b.add(j))).plus_product(v4, F4::load(k.add(j)));
        new.store(s.add(j));
        sums = sums.plus_product(new, F4::load(r.add(j)));
        j += LANES;
    }
    let mut sum = sums.sum();
    while j < size {
        let new = *s.add(j) * *w.add(j) + removed * *b.add(j) + v * *k.add(j);
        *s.add(j) = new;
        sum += new * *r.add(j);
        j += 1;
    }
    sum
}
