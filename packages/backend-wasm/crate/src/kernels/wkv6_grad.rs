use crate::kernels::wkv6::decay_line;
use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{add_scaled, dot, map};
use crate::team::Team;
use core::ptr::{copy_nonoverlapping, null, write_bytes};

/// Tokens between two kept states; inside such a stretch the states are recomputed.
const STRETCH: usize = 16;

/// r, k, v, gy and gr, glw, gk, gv: [tokens, heads, size]; lw: the same, or [heads, size] when `per_token` is 0;
/// u, gu: [heads, size]; s0, gs, gs0: [sequences, heads, size (key), size (value)];
/// scratch of each thread: [1, size] and [tokens / 16 + 17, size, size]. Threads share the heads.
pub unsafe fn wkv6_grad(
    team: &Team,
    r: *const f32,
    lw: *const f32,
    k: *const f32,
    v: *const f32,
    u: *const f32,
    s0: *const f32,
    starts: *const i32,
    gy: *const f32,
    gs: *const f32,
    gr: *mut f32,
    glw: *mut f32,
    gk: *mut f32,
    gv: *mut f32,
    gu: *mut f32,
    gs0: *mut f32,
    scratch: *mut f32,
    tokens: usize,
    sequences: usize,
    heads: usize,
    size: usize,
    per_token: u32,
) {
    let area = size * size;
    // STRETCH states inside a stretch, then the state at the start of each stretch.
    let decay = scratch.add(team.id * (size + (tokens.div_ceil(STRETCH) + STRETCH + 1) * area));
    let inside = decay.add(size);
    let kept = inside.add(STRETCH * area);
    let decay_of = |at: usize, head: usize| {
        map(lw.add(if per_token != 0 { at } else { head * size }), decay, size, exp4);
    };
    let forward = |state: *mut f32, at: usize, head: usize| {
        decay_of(at, head);
        for i in 0..size {
            decay_line(state.add(i * size), *decay.add(i), *k.add(at + i), v.add(at), size);
        }
    };
    let batch = Sequences { starts, slots: null(), count: sequences, tokens, rows: sequences };
    team.share(heads, 1, |first, last| {
        write_bytes(gu.add(first * size), 0, (last - first) * size);
        batch.each(|row, begin, end| {
            for head in first..last {
                let place = (row * heads + head) * area;
                let token_at = |t: usize| (t * heads + head) * size;
                let g = gs0.add(place);
                copy_nonoverlapping(gs.add(place), g, area);
                copy_nonoverlapping(s0.add(place), inside, area);
                for t in begin..end {
                    if (t - begin) % STRETCH == 0 {
                        copy_nonoverlapping(inside as *const f32, kept.add((t - begin) / STRETCH * area), area);
                    }
                    forward(inside, token_at(t), head);
                }
                for stretch in (0..(end - begin).div_ceil(STRETCH)).rev() {
                    let first = begin + stretch * STRETCH;
                    let count = STRETCH.min(end - first);
                    copy_nonoverlapping(kept.add(stretch * area) as *const f32, inside, area);
                    for i in 1..count {
                        let state = inside.add(i * area);
                        copy_nonoverlapping(inside.add((i - 1) * area) as *const f32, state, area);
                        forward(state, token_at(first + i - 1), head);
                    }
                    for i in (0..count).rev() {
                        let at = token_at(first + i);
                        decay_of(at, head);
                        let before = inside.add(i * area);
                        let (v, gy, gv, u) = (v.add(at), gy.add(at), gv.add(at), u.add(head * size));
                        let along = dot(v, gy, size);
                        write_bytes(gv, 0, size);
                        let mut bonus = 0.0;
                        // g: gradient of the state after this token, line by line (one key channel each)
                        for j in 0..size {
                            let (g, before) = (g.add(j * size), before.add(j * size));
                            let (r, k, u, w) = (*r.add(at + j), *k.add(at + j), *u.add(j), *decay.add(j));
                            bonus += r * u * k;
                            *gr.add(at + j) = dot(before, gy, size) + u * k * along;
                            *gk.add(at + j) = dot(g, v, size) + u * r * along;
                            *glw.add(at + j) = w * dot(g, before, size);
                            *gu.add(head * size + j) += r * k * along;
                            add_scaled(gv, k, g, size);
                            decay_line(g, w, r, gy, size);
                        }
                        add_scaled(gv, bonus, gy, size);
                    }
                }
            }
        });
    });
}
