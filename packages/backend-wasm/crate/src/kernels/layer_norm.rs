use crate::kernels::group_norm::group_norm;
use crate::team::Team;

/// x, y: [rows, width]; w, b: [width]
pub unsafe fn layer_norm(
    team: &Team,
    x: *const f32,
    w: *const f32,
    b: *const f32,
    y: *mut f32,
    rows: usize,
    width: usize,
    eps: f32,
) {
    group_norm(team, x, w, b, y, rows, 1, width, eps);
}
