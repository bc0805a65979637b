use crate::chunk7::{load, mask, padded, padded_transpose, store, Chunk, Head, Pieces, CHUNK, PAIR};
use crate::kernels::wkv7::{step, Token};
use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{add_products, add_scaled, decay_and_add, dot, map, F4, LANES};
use crate::team::Team;
use crate::tiles::{product, transpose, Left, Matrix, TILE_COLUMNS};
use core::ptr::{copy_nonoverlapping, null, write_bytes};

/// Tokens between two kept states; inside such a stretch the states are recomputed.
const STRETCH: usize = 16;

/// The f32 of scratch that each thread needs.
pub const fn scratch(tokens: usize, size: usize) -> usize {
    let stretches = size + (tokens.div_ceil(STRETCH) + STRETCH + 2) * size * size;
    let chunks = Backward::room(tokens, padded(size));
    if stretches > chunks {
        stretches
    } else {
        chunks
    }
}

/// r, lw, k, v, a, b, gy and their gradients: [tokens, heads, size]; s0, gs, gs0: [sequences, heads, size, size];
/// scratch: `scratch` of each thread. Threads share the heads.
pub unsafe fn wkv7_grad(
    team: &Team,
    r: *const f32,
    lw: *const f32,
    k: *const f32,
    v: *const f32,
    a: *const f32,
    b: *const f32,
    s0: *const f32,
    starts: *const i32,
    gy: *const f32,
    gs: *const f32,
    gr: *mut f32,
    glw: *mut f32,
    gk: *mut f32,
    gv: *mut f32,
    ga: *mut f32,
    gb: *mut f32,
    gs0: *mut f32,
    scratch: *mut f32,
    tokens: usize,
    sequences: usize,
    heads: usize,
    size: usize,
) {
    let area = size * size;
    // STRETCH + 1 states inside a stretch, then the state at the start of each stretch.
    let decay = scratch.add(team.id * self::scratch(tokens, size));
    let inside = decay.add(size);
    let kept = inside.add((STRETCH + 1) * area);
    // Moves `state` on by token `t` of a head; what is read from it is not wanted.
    let forward = |state: *mut f32, at: usize| {
        map(lw.add(at), decay, size, exp4);
        let token = Token { w: decay, r: r.add(at), k: k.add(at), a: a.add(at), b: b.add(at) };
        for i in 0..size {
            step(state.add(i * size), *v.add(at + i), &token, size);
        }
    };
    let batch = Sequences { starts, slots: null(), count: sequences, tokens, rows: sequences };
    batch.share_heads(team, heads, |row, head, begin, end| {
        let place = (row * heads + head) * area;
        let token_at = |t: usize| (t * heads + head) * size;
        let first = token_at(begin);
        let whole = {
            let [r, lw, k, v, a, b] = [r, lw, k, v, a, b].map(|x| x.add(first));
            Head { r, lw, k, v, a, b, size, pitch: heads * size }
        };
        if whole.fits(end - begin) {
            let [gr, glw, gk, gv, ga, gb] = [gr, glw, gk, gv, ga, gb].map(|x| x.add(first));
            let gradients = Gradients { gy: gy.add(first), gr, glw, gk, gv, ga, gb };
            let states = [s0, gs].map(|x| x.add(place));
            return Backward::new(decay, padded(size)).run(&whole, &gradients, states, gs0.add(place), end - begin);
        }
        let g = gs0.add(place);
        copy_nonoverlapping(gs.add(place), g, area);
        copy_nonoverlapping(s0.add(place), inside, area);
        for t in begin..end {
            for gradient in [gr, glw, gk, ga, gb] {
                write_bytes(gradient.add(token_at(t)), 0, size);
            }
            if (t - begin) % STRETCH == 0 {
                copy_nonoverlapping(inside as *const f32, kept.add((t - begin) / STRETCH * area), area);
            }
            forward(inside, token_at(t));
        }
        for stretch in (0..(end - begin).div_ceil(STRETCH)).rev() {
            let first = begin + stretch * STRETCH;
            let count = STRETCH.min(end - first);
            copy_nonoverlapping(kept.add(stretch * area) as *const f32, inside, area);
            for i in 0..count {
                let next = inside.add((i + 1) * area);
                copy_nonoverlapping(inside.add(i * area) as *const f32, next, area);
                forward(next, token_at(first + i));
            }
            for i in (0..count).rev() {
                let at = token_at(first + i);
                map(lw.add(at), decay, size, exp4);
                let (before, after) = (inside.add(i * area), inside.add((i + 1) * area));
                // g: gradient of the state after this token, line by line
                for line in 0..size {
                    let (g, before, after) = (g.add(line * size), before.add(line * size), after.add(line * size));
                    let gy = *gy.add(at + line);
                    add_scaled(gr.add(at), gy, after, size);
                    add_scaled(g, gy, r.add(at), size);
                    add_scaled(gk.add(at), *v.add(at + line), g, size);
                    add_scaled(gb.add(at), dot(before, a.add(at), size), g, size);
                    add_products(glw.add(at), g, before, size);
                    *gv.add(at + line) = dot(g, k.add(at), size);
                    let removed = dot(g, b.add(at), size);
                    add_scaled(ga.add(at), removed, before, size);
                    decay_and_add(g, decay, removed, a.add(at), size);
                }
                for j in 0..size {
                    *glw.add(at + j) *= *decay.add(j);
                }
            }
        }
    });
}

/// Of one head, `size` numbers a token, as far apart as its operands.
struct Gradients {
    gy: *const f32,
    gr: *mut f32,
    glw: *mut f32,
    gk: *mut f32,
    gv: *mut f32,
    ga: *mut f32,
    gb: *mut f32,
}

/// The chunked form of `chunk7` backwards. S and U of every chunk are kept by a sweep forward; then, G being the gradient of
/// the state after a chunk:
///
/// ```text
/// dV, dU = k̂ Gᵀ, b̂ Gᵀ + M_rᵀ gy;  dU by the transposed triangular system;  dV += M_akᵀ dU
/// dM = (dU, gy) (V, U)ᵀ where M is not 0
/// d(ā, r̄) = (dU, gy) S;  d(k̂, b̂) = (V, U) G;  d(left) = dM right;  d(right) = dMᵀ left
/// G = G diag(P[16]) + dUᵀ ā + gyᵀ r̄
/// ```
///
/// P[t] is in every term of r[t] and a[t+1], 1 / P[t] in every term of k[t] and b[t], P[16] in all of the state after:
/// so the sums r·gr − k·gk − b·gb + a·ga, taken from the end, are the gradients of the log decays.
struct Backward {
    chunk: Chunk,
    /// Sᵀ, then Gᵀ: [D (key), D (value)]
    across: *mut f32,
    /// [D (value), D (key)]
    g: *mut f32,
    /// [48, D]: dV over dU over gy
    adjoint: *mut f32,
    /// [32, D]
    of_reads: *mut f32,
    of_writes: *mut f32,
    of_left: *mut f32,
    of_right: *mut f32,
    /// [D, 32]
    values_across: *mut f32,
    /// [32, 32]
    of_m: *mut f32,
    /// [D]
    of_total: *mut f32,
    /// Of each chunk U [16, D], M [32, 32] and the state before it [D (value), D (key)]; at the end the last state.
    kept: *mut f32,
}

impl Backward {
    const fn kept_room(width: usize) -> usize {
        (CHUNK + width) * width + PAIR * PAIR
    }

    const fn room(tokens: usize, width: usize) -> usize {
        let own = (2 * width + 3 * CHUNK + 5 * PAIR + 1) * width + PAIR * PAIR;
        Chunk::room(width) + own + (tokens.div_ceil(CHUNK) + 1) * Backward::kept_room(width)
    }

    unsafe fn new(scratch: *mut f32, width: usize) -> Backward {
        let mut pieces = Pieces::new(scratch);
        Backward {
            chunk: Chunk::new(&mut pieces, width),
            across: pieces.take(width * width),
            g: pieces.take(width * width),
            adjoint: pieces.take(3 * CHUNK * width),
            of_reads: pieces.take(PAIR * width),
            of_writes: pieces.take(PAIR * width),
            of_left: pieces.take(PAIR * width),
            of_right: pieces.take(PAIR * width),
            values_across: pieces.take(PAIR * width),
            of_m: pieces.take(PAIR * PAIR),
            of_total: pieces.take(width),
            kept: pieces.take(0),
        }
    }

    /// U, M and the state before the chunk of this number.
    unsafe fn kept(&self, index: usize) -> [*mut f32; 3] {
        let u = self.kept.add(index * Backward::kept_room(self.chunk.width));
        let m = u.add(CHUNK * self.chunk.width);
        [u, m, m.add(PAIR * PAIR)]
    }

    unsafe fn run(&self, head: &Head, to: &Gradients, [s0, gs]: [*const f32; 2], gs0: *mut f32, tokens: usize) {
        let (size, width) = (head.size, self.chunk.width);
        let chunks = tokens.div_ceil(CHUNK);
        self.sweep(head, s0, tokens);
        padded_transpose(gs, self.across, size, width);
        self.turn(self.across, self.g);
        for index in (0..chunks).rev() {
            let first = index * CHUNK;
            let count = CHUNK.min(tokens - first);
            let [u, m, before] = self.kept(index);
            let [.., after] = self.kept(index + 1);
            self.chunk.take(&head.from(first), count);
            copy_nonoverlapping(u as *const f32, self.chunk.values.add(CHUNK * width), CHUNK * width);
            copy_nonoverlapping(m as *const f32, self.chunk.m, PAIR * PAIR);
            self.take_answers(to.gy.add(first * head.pitch), head, count);
            self.turn(self.g, self.across);
            self.of_total(after);
            self.backward(before);
            self.give(head, to, first, count);
        }
        for row in 0..size {
            for j in (0..size).step_by(LANES) {
                store(F4::load(self.g.add(row * width + j)), gs0.add(row * size), j, size);
            }
        }
    }

    /// Transposes a state of the padded size.
    unsafe fn turn(&self, from: *const f32, to: *mut f32) {
        let width = self.chunk.width;
        transpose(Matrix::new(from, width), Matrix::new(to, width), width, width);
    }

    /// Forward over all chunks, to keep what each begins with and its U.
    unsafe fn sweep(&self, head: &Head, s0: *const f32, tokens: usize) {
        let width = self.chunk.width;
        padded_transpose(s0, self.across, head.size, width);
        let mut index = 0;
        for first in (0..tokens).step_by(CHUNK) {
            let [u, m, before] = self.kept(index);
            self.turn(self.across, before);
            self.chunk.take(&head.from(first), CHUNK.min(tokens - first));
            self.chunk.relate();
            self.chunk.solve(self.across, u, CHUNK);
            copy_nonoverlapping(self.chunk.m as *const f32, m, PAIR * PAIR);
            self.chunk.advance(self.across);
            index += 1;
        }
        self.turn(self.across, self.kept(index)[2]);
    }

    unsafe fn take_answers(&self, gy: *const f32, head: &Head, count: usize) {
        let width = self.chunk.width;
        for t in 0..CHUNK {
            let row = self.adjoint.add((PAIR + t) * width);
            for j in (0..width).step_by(LANES) {
                let x = if t < count { load(gy.add(t * head.pitch), j, head.size) } else { F4::zero() };
                x.store(row.add(j));
            }
        }
    }

    /// Σ_value G ⊙ S after the chunk: what every term of P[16] gives. after: [D (value), D (key)]
    unsafe fn of_total(&self, after: *const f32) {
        let width = self.chunk.width;
        for j in (0..width).step_by(LANES) {
            let mut sum = F4::zero();
            for row in 0..width {
                sum = sum.plus_product(F4::load(self.g.add(row * width + j)), F4::load(after.add(row * width + j)));
            }
            sum.store(self.of_total.add(j));
        }
    }

    /// before: the state before the chunk [D (value), D (key)]
    unsafe fn backward(&self, before: *const f32) {
        let chunk = &self.chunk;
        let width = chunk.width;
        let m = Matrix::new(chunk.m as *const f32, PAIR);
        let line = |at: *const f32| Matrix::new(at, width);
        let to = |at: *mut f32| Matrix::new(at, width);
        let (of_u, gy) = (self.adjoint.add(CHUNK * width), self.adjoint.add(PAIR * width));

        product(Left::Rows, line(chunk.writes), line(self.across), to(self.adjoint), PAIR, width, width, false);
        let m_r = Matrix::new(m.at.add(CHUNK * PAIR), PAIR);
        product(Left::Columns, m_r, line(gy), to(self.adjoint), PAIR, CHUNK, width, true);
        self.solve_backwards(of_u);
        product(Left::Columns, m, line(of_u), to(self.adjoint), CHUNK, CHUNK, width, true);

        transpose(line(chunk.values), Matrix::new(self.values_across, PAIR), PAIR, width);
        let across = Matrix::new(self.values_across as *const f32, PAIR);
        product(Left::Rows, line(of_u), across, Matrix::new(self.of_m, PAIR), PAIR, width, PAIR, false);
        mask(self.of_m);
        let of_m = Matrix::new(self.of_m as *const f32, PAIR);
        product(Left::Rows, line(of_u), line(before), to(self.of_reads), PAIR, width, width, false);
        product(Left::Rows, line(chunk.values), line(self.g), to(self.of_writes), PAIR, width, width, false);
        product(Left::Rows, of_m, line(chunk.right), to(self.of_left), PAIR, PAIR, width, false);
        product(Left::Columns, of_m, line(chunk.left), to(self.of_right), PAIR, PAIR, width, false);

        for row in 0..width {
            for j in (0..width).step_by(LANES) {
                let at = self.g.add(row * width + j);
                (F4::load(at) * F4::load(chunk.total.add(j))).store(at);
            }
        }
        product(Left::Columns, line(of_u), line(chunk.reads), to(self.g), width, PAIR, width, true);
    }

    /// dU = dU + M_abᵀ dU, from the last token to the first.
    unsafe fn solve_backwards(&self, of_u: *mut f32) {
        let width = self.chunk.width;
        for column in (0..width).step_by(TILE_COLUMNS) {
            for s in (0..CHUNK - 1).rev() {
                let row = of_u.add(s * width + column);
                let mut sum = [F4::load(row), F4::load(row.add(LANES))];
                for t in s + 1..CHUNK {
                    let m = F4::splat(*self.chunk.m.add(t * PAIR + CHUNK + s));
                    let other = of_u.add(t * width + column);
                    sum[0] = sum[0].plus_product(m, F4::load(other));
                    sum[1] = sum[1].plus_product(m, F4::load(other.add(LANES)));
                }
                sum[0].store(row);
                sum[1].store(row.add(LANES));
            }
        }
    }

    /// From the gradients of products with P to those of the operands.
    unsafe fn give(&self, head: &Head, to: &Gradients, first: usize, count: usize) {
        let (chunk, size) = (&self.chunk, head.size);
        let width = chunk.width;
        let half = CHUNK * width;
        for j in (0..width).step_by(LANES) {
            let column = |x: *const f32, at: usize| F4::load(x.add(at + j));
            let (start, last) = (column(chunk.first, 0), column(chunk.decay, half - width));
            let mut of_decay = column(self.of_total, 0);
            for t in (0..count).rev() {
                let (row, token) = (t * width, (first + t) * head.pitch);
                let give = |x: F4, y: *mut f32| store(x, y.add(token), j, size);
                let take = |x: *const f32| load(x.add(token), j, size);
                let decay = column(chunk.decay, row);
                let inverse = F4::splat(1.0) / decay;
                let gr = (start * column(self.of_reads, half + row) + column(self.of_left, half + row)) * decay;
                let gk = (last * column(self.of_writes, row) + column(self.of_right, row)) * inverse;
                let gb = (last * column(self.of_writes, half + row) + column(self.of_right, half + row)) * inverse;
                let ga = if t == 0 {
                    column(self.of_reads, 0)
                } else {
                    let before = column(chunk.decay, row - width);
                    (start * column(self.of_reads, row) + column(self.of_left, row)) * before
                };
                of_decay = of_decay + take(head.r) * gr - take(head.k) * gk - take(head.b) * gb;
                give(of_decay, to.glw);
                of_decay = of_decay + take(head.a) * ga;
                give(gr, to.gr);
                give(gk, to.gk);
                give(gb, to.gb);
                give(ga, to.ga);
                give(column(self.adjoint, row), to.gv);
            }
        }
    }
}
