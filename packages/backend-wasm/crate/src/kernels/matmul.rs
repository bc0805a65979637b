use crate::matrices::product;
use crate::team::Team;

/// a: [batch, m, k], or [batch, k, m] when transpose_a; b: [batch, k, n], or [batch, n, k]; y: [batch, m, n];
/// scratch: [threads, matrices::SCRATCH]
pub unsafe fn matmul(
    team: &Team,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    scratch: *mut f32,
    batch: usize,
    m: usize,
    k: usize,
    n: usize,
    transpose_a: u32,
    transpose_b: u32,
) {
    product(team, a, b, y, scratch, batch, m, k, n, transpose_a != 0, transpose_b != 0);
}
