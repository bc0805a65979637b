use crate::kernels::linear::{linear, multiply};

/// a: [batch, m, k], or [batch, k, m] when transpose_a; b: [batch, k, n], or [batch, n, k]; y: [batch, m, n]
pub unsafe fn matmul(
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
    for i in 0..batch {
        let (a, b, y) = (a.add(i * m * k), b.add(i * k * n), y.add(i * m * n));
        match (transpose_a != 0, transpose_b != 0) {
            (false, true) => linear(a, b, y, m, k, n),
            (false, false) => multiply(a, k, 1, b, y, m, k, n),
            (true, false) => multiply(a, 1, m, b, y, m, k, n),
            (true, true) => both_transposed(a, b, y, m, k, n),
        }
    }
}

/// a: [k, m]; b: [n, k]; y: [m, n]
unsafe fn both_transposed(a: *const f32, b: *const f32, y: *mut f32, m: usize, k: usize, n: usize) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = 0.0;
            for l in 0..k {
                sum += *a.add(l * m + i) * *b.add(j * k + l);
            }
            *y.add(i * n + j) = sum;
        }
    }
}
