use crate::kernels::softmax::exponentials;
use crate::sequences::bounded;
use crate::simd::{map, F4};
use crate::team::Team;

/// logits, glogits: [rows, width]; targets: i32 [rows], negative to leave the row out; gy: [rows]
pub unsafe fn cross_entropy_grad(
    team: &Team,
    logits: *const f32,
    targets: *const i32,
    gy: *const f32,
    glogits: *mut f32,
    rows: usize,
    width: usize,
) {
    team.share(rows, 1, |begin, end| {
        for row in begin..end {
            let (x, y, target) = (logits.add(row * width), glogits.add(row * width), *targets.add(row));
            if target < 0 || width == 0 {
                core::ptr::write_bytes(y, 0, width);
                continue;
            }
            let scale = F4::splat((f64::from(*gy.add(row)) / exponentials(x, y, width)) as f32);
            map(y, y, width, |v| v * scale);
            *y.add(bounded(target, width - 1)) -= *gy.add(row);
        }
    });
}
