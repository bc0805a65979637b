use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{dot, map, F4, LANES};

/// r, lw, k, v, a, b, y: [tokens, heads, size]; s0, s: [sequences, heads, size (value), size (key)], or the pool
/// [pool_rows, …] when there are slots; scratch: [size]
pub unsafe fn wkv7(
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
    batch.begin_state(s0, s, heads * area);
    batch.each(|row, begin, end| {
        for head in 0..heads {
            let state = s.add((row * heads + head) * area);
            for t in begin..end {
                let at = (t * heads + head) * size;
                map(lw.add(at), scratch, size, exp4);
                let token = Token { w: scratch, r: r.add(at), k: k.add(at), a: a.add(at), b: b.add(at) };
                for i in 0..size {
                    *y.add(at + i) = step(state.add(i * size), *v.add(at + i), &token, size);
                }
            }
        }
    });
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
