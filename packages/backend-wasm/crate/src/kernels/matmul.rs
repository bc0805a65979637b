use crate::rows::{by_columns, by_rows};
use crate::team::Team;

/// a: [batch, m, k], or [batch, k, m] when transpose_a; b: [batch, k, n], or [batch, n, k]; y: [batch, m, n]
///
/// Threads share the products of a batch, or the columns of the only one.
pub unsafe fn matmul(
    team: &Team,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    batch: usize,
    m: usize,
    k: usize,
    n: usize,
    transpose_a: u32,
    transpose_b: u32,
) {
    let one = |team: &Team, i: usize| {
        let (a, b, y) = (a.add(i * m * k), b.add(i * k * n), y.add(i * m * n));
        match (transpose_a != 0, transpose_b != 0) {
            (false, true) => by_rows(team, a, b, y, m, k, n),
            (false, false) => by_columns(team, a, k, 1, b, y, m, k, n),
            (true, false) => by_columns(team, a, 1, m, b, y, m, k, n),
            (true, true) => both_transposed(team, a, b, y, m, k, n),
        }
    };
    if batch == 1 {
        return one(team, 0);
    }
    team.share(batch, 1, |begin, end| {
        for i in begin..end {
            one(&Team::alone(), i);
        }
    });
}

/// a: [k, m]; b: [n, k]; y: [m, n]
unsafe fn both_transposed(team: &Team, a: *const f32, b: *const f32, y: *mut f32, m: usize, k: usize, n: usize) {
    team.share(m, 1, |begin, end| {
        for i in begin..end {
            for j in 0..n {
                let mut sum = 0.0;
                for l in 0..k {
                    sum += *a.add(l * m + i) * *b.add(j * k + l);
                }
                *y.add(i * n + j) = sum;
            }
        }
    });
}
