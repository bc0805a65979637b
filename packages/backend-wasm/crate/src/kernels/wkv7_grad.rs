use crate::kernels::wkv7::{step, Token};
use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{add_products, add_scaled, decay_and_add, dot, map};
use crate::team::Team;
use core::ptr::{copy_nonoverlapping, null, write_bytes};

/// Tokens between two kept states; inside such a stretch the states are recomputed.
const STRETCH: usize = 16;

/// r, lw, k, v, a, b, gy and their gradients: [tokens, heads, size]; s0, gs, gs0: [sequences, heads, size, size];
/// scratch of each thread: [1, size] and [tokens / 16 + 18, size, size]. Threads share the heads.
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
    let decay = scratch.add(team.id * (size + (tokens.div_ceil(STRETCH) + STRETCH + 2) * area));
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
