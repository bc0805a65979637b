use crate::kernels::group_norm::group_norm;

/// x, y: [rows, width]; w, b: [width]
pub unsafe fn layer_norm(
    x: *const f32,
    w: *const f32,
    b: *const f32,
    y: *mut f32,
    rows: usize,
    width: usize,
    eps: f32,
) {
    group_norm(x, w, b, y, rows, 1, width, eps);
}
