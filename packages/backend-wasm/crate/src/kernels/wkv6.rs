use crate::math::exp4;
use crate::sequences::Sequences;
use crate::simd::{add_scaled, map, F4, LANES};
use crate::team::Team;

/// r, k, v, y: [tokens, heads, size]; lw: the same, or [heads, size] when `per_token` is 0; u: [heads, size];
/// s0, s: [sequences, heads, size (key), size (value)], or the pool [pool_rows, …] when there are slots;
/// scratch: [threads, size]. Threads share the heads.
pub unsafe fn wkv6(
    team: &Team,
    r: *const f32,
    lw: *const f32,
    k: *const f32,
    v: *const f32,
    u: *const f32,
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
    per_token: u32,
) {
    let batch = Sequences { starts, slots, count: sequences, tokens, rows: pool_rows };
    let area = size * size;
    let decay = scratch.add(team.id * size);
    batch.share_heads(team, heads, |row, head, begin, end| {
        let place = (row * heads + head) * area;
        let state = s.add(place);
        batch.begin_state(s0.add(place), state, area);
        for t in begin..end {
            let at = (t * heads + head) * size;
            let lw = lw.add(if per_token != 0 { at } else { head * size });
            map(lw, decay, size, exp4);
            let (y, v) = (y.add(at), v.add(at));
            core::ptr::write_bytes(y, 0, size);
            let mut bonus = 0.0;
            for i in 0..size {
                let (r, k) = (*r.add(at + i), *k.add(at + i));
                bonus += r * *u.add(head * size + i) * k;
                read_and_decay(y, r, state.add(i * size), *decay.add(i), k, v, size);
            }
            add_scaled(y, bonus, v, size);
        }
    });
}

/// One line of the state [size (value)]: y += r s; s = w s + k v
#[inline(always)]
unsafe fn read_and_decay(y: *mut f32, r: f32, s: *mut f32, w: f32, k: f32, v: *const f32, size: usize) {
    let whole = F4::lanes_before(size);
    let (r4, w4, k4) = (F4::splat(r), F4::splat(w), F4::splat(k));
    let mut j = 0;
    while j < whole {
        let before = F4::load(s.add(j));
        F4::load(y.add(j)).plus_product(r4, before).store(y.add(j));
        (before * w4).plus_product(k4, F4::load(v.add(j))).store(s.add(j));
        j += LANES;
    }
    while j < size {
        *y.add(j) += r * *s.add(j);
        *s.add(j) = *s.add(j) * w + k * *v.add(j);
        j += 1;
    }
}

/// One line of the state [size (value)]: s = w s + k v
#[inline(always)]
pub unsafe fn decay_line(s: *mut f32, w: f32, k: f32, v: *const f32, size: usize) {
    let whole = F4::lanes_before(size);
    let mut j = 0;
    while j < whole {
        let kept = F4::load(s.add(j)) * F4::splat(w);
        kept.plus_product(F4::splat(k), F4::load(v.add(j))).store(s.add(j));
        j += LANES;
    }
    while j < size {
        *s.add(j) = *s.add(j) * w + k * *v.add(j);
        j += 1;
    }
}
