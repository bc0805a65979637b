use super::*;
use crate::half::half_to_f32;
use crate::team::Team;
use core::sync::atomic::AtomicU32;

/// Numbers from -1 to 1 without a pattern.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Random weights as they are stored, and their values.
fn stored<F: Format>(rows: usize, inner: usize) -> (Vec<u8>, Vec<f32>) {
    let numbers = noise(rows * inner, 7);
    let bytes = |x: &f32| x.to_le_bytes();
    match (F::BLOCK, F::STORED) {
        (4, _) => (numbers.iter().flat_map(bytes).collect(), numbers),
        (8, _) => {
            let upper: Vec<u16> = numbers.iter().map(|x| (x.to_bits() >> 16) as u16).collect();
            let values = upper.iter().map(|&bits| f32::from_bits(u32::from(bits) << 16)).collect();
            (upper.iter().flat_map(|bits| bits.to_le_bytes()).collect(), values)
        }
        (_, size) => {
            let (mut packed, mut values) = (Vec::new(), Vec::new());
            for (i, block) in numbers.chunks(32).enumerate() {
                // Subnormal, negative and common scales.
                let scale = [0x0007u16, 0xa400, 0x2c00][i % 3];
                packed.extend(scale.to_le_bytes());
                let levels: Vec<i32> =
                    block.iter().map(|x| (x * if size == 34 { 127.0 } else { 7.9 }) as i32).collect();
                match size {
                    34 => packed.extend(levels.iter().map(|&x| x as i8 as u8)),
                    _ => packed.extend((0..16).map(|i| (levels[i] + 8) as u8 | ((levels[16 + i] + 8) as u8) << 4)),
                }
                values.extend(levels.iter().map(|&x| half_to_f32(scale) * x as f32));
            }
            (packed, values)
        }
    }
}

/// Halves of numbers with an exact one, some of them subnormal.
fn stored_halves(rows: usize, inner: usize) -> (Vec<u8>, Vec<f32>) {
    let bits: Vec<u16> = noise(rows * inner, 3)
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let size = (x.abs() * 1023.0) as u16;
            (x.is_sign_negative() as u16) << 15 | [0, 1 << 10, 12 << 10, 21 << 10][i % 4] | size
        })
        .collect();
    let values = bits.iter().map(|&bits| half_to_f32(bits)).collect();
    (bits.iter().flat_map(|bits| bits.to_le_bytes()).collect(), values)
}

/// Rows of plain numbers, which are stored as columns first, packed into so many bytes.
fn packed_of_columns<F: Format>(stored: &[u8], bytes: usize, rows: usize, inner: usize) -> Vec<u8> {
    let number = |row: usize, column: usize| &stored[(row * inner + column) * F::UNIT..][..F::UNIT];
    let columns: Vec<u8> =
        (0..inner).flat_map(|column| (0..rows).flat_map(move |row| number(row, column).to_vec())).collect();
    let mut packed = vec![0xffu8; bytes];
    let mut room = vec![0xffu8; GROUP * stored_bytes::<F>(inner)];
    let worst = AtomicU32::new(0);
    let (from, to, room) = (columns.as_ptr(), packed.as_mut_ptr(), room.as_mut_ptr());
    unsafe { pack_rows_of_columns::<F>(&Team::alone(), from, to, rows, inner, room, &worst) };
    assert_eq!(worst.into_inner(), Packing::Done as u32);
    packed
}

fn check<F: Format>(stored: fn(usize, usize) -> (Vec<u8>, Vec<f32>), sizes: &[(usize, usize)], tolerance: f64) {
    for &(inner, outer) in sizes {
        let (bytes, w) = stored(outer, inner);
        let blocks = inner.div_ceil(F::BLOCK);
        let mut packed = vec![0xffu8; outer.div_ceil(GROUP) * blocks * F::BYTES];
        let worst = AtomicU32::new(0);
        unsafe { pack_rows::<F>(&Team::alone(), bytes.as_ptr(), packed.as_mut_ptr(), outer, inner, &worst) };
        assert_eq!(worst.into_inner(), Packing::Done as u32);
        if F::BLOCK <= 8 {
            assert_eq!(packed_of_columns::<F>(&bytes, packed.len(), outer, inner), packed);
        }
        for rows in [0, 1, 2, 3, 4, 5, 6, 7, 12, 17] {
            for factor in [1.0, 1e9] {
                let x: Vec<f32> = noise(rows * inner, 5).iter().map(|x| x * factor).collect();
                let mut y = vec![7.0; rows * outer];
                let mut room = vec![f32::NAN; scratch(1, rows, inner)];
                let (x_at, y_at, room) = (x.as_ptr(), y.as_mut_ptr(), room.as_mut_ptr());
                unsafe { product::<F>(&Team::alone(), x_at, packed.as_ptr(), y_at, room, rows, inner, outer) };
                for (n, o) in (0..rows).flat_map(|n| (0..outer).map(move |o| (n, o))) {
                    let terms = (0..inner).map(|i| f64::from(x[n * inner + i]) * f64::from(w[o * inner + i]));
                    let (sum, size) = terms.fold((0.0, 1e-30), |(sum, size), term| (sum + term, size + term.abs()));
                    let error = (f64::from(y[n * outer + o]) - sum).abs() / size;
                    assert!(error < tolerance, "{inner} × {outer}, row {n} of {rows}, {o}: {error:e}");
                }
            }
        }
    }
}

/// As `check`, for a weight column by column and an x with zeros, and with none but zeros in its middle.
fn check_columns<F: columns::Columns>(
    stored: fn(usize, usize) -> (Vec<u8>, Vec<f32>),
    sizes: &[(usize, usize)],
    tolerance: f64,
) {
    for &(inner, outer) in sizes {
        let (bytes, w) = stored(outer, inner);
        let chunk = columns::RUN * (F::SCALES_BYTES + columns::RUN * F::RUN_BYTES) / columns::RUN;
        let mut packed = vec![0xffu8; outer.div_ceil(32) * inner.div_ceil(32) * chunk];
        let worst = AtomicU32::new(0);
        let pitch = bytes.len() / outer;
        // In two pieces, as loading has it.
        for (first, rows) in [(0, outer.min(32)), (32, outer.saturating_sub(32))] {
            let (team, from) = (Team::alone(), bytes[first.min(outer) * pitch..].as_ptr());
            unsafe { columns_of::<F>(&team, from, packed.as_mut_ptr(), first, rows, inner, outer, &worst) };
        }
        assert_eq!(worst.into_inner(), Packing::Done as u32);
        for rows in [0, 1, 3, 5, 7] {
            for (factor, each) in [(1.0, 1), (1.0, 3), (1e9, 9)] {
                let mut x: Vec<f32> = noise(rows * inner, 5).iter().map(|x| x * factor).collect();
                for (i, x) in x.iter_mut().enumerate() {
                    *x = if i % each == 0 && !(64..128).contains(&(i % inner.max(1))) { *x } else { 0.0 };
                }
                let mut y = vec![7.0; rows * outer];
                let mut room = vec![f32::NAN; columns_scratch(1, rows, inner, outer)];
                let (x_at, y_at, room) = (x.as_ptr(), y.as_mut_ptr(), room.as_mut_ptr());
                unsafe {
                    product_of_columns::<F>(&Team::alone(), x_at, packed.as_ptr(), y_at, room, rows, inner, outer)
                };
                for (n, o) in (0..rows).flat_map(|n| (0..outer).map(move |o| (n, o))) {
                    let terms = (0..inner).map(|i| f64::from(x[n * inner + i]) * f64::from(w[o * inner + i]));
                    let (sum, size) = terms.fold((0.0, 1e-30), |(sum, size), term| (sum + term, size + term.abs()));
                    let error = (f64::from(y[n * outer + o]) - sum).abs() / size;
                    assert!(error < tolerance, "{inner} × {outer}, row {n} of {rows}, {o}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn products_of_columns_are_right() {
    check_columns::<Float>(stored::<Float>, SIZES, 1e-6);
    check_columns::<Bfloat>(stored::<Bfloat>, SIZES, 1e-6);
    check_columns::<Half>(stored_halves, SIZES, 1e-6);
    check_columns::<Q8>(stored::<Q8>, WHOLE, 1e-4);
    check_columns::<Q4>(stored::<Q4>, WHOLE, 1e-4);
}

#[test]
fn what_is_not_finite_goes_on_through_columns() {
    unsafe fn sums<F: columns::Columns>(bad: f32) -> [f32; 5] {
        let mut x = [0.0; 64];
        x[40] = bad;
        let (bytes, _) = stored::<F>(5, 64);
        let (mut packed, worst) = (vec![0u8; 64 * 32 * 4], AtomicU32::new(0));
        columns_of::<F>(&Team::alone(), bytes.as_ptr(), packed.as_mut_ptr(), 0, 5, 64, 5, &worst);
        let (mut y, mut room) = ([0.0; 5], vec![0.0; columns_scratch(1, 1, 64, 5)]);
        let (w, room) = (packed.as_ptr(), room.as_mut_ptr());
        product_of_columns::<F>(&Team::alone(), x.as_ptr(), w, y.as_mut_ptr(), room, 1, 64, 5);
        y
    }
    unsafe {
        assert!(sums::<Float>(f32::NAN).into_iter().all(f32::is_nan));
        assert!(!sums::<Q8>(f32::INFINITY).into_iter().any(f32::is_finite));
    }
}

const SIZES: &[(usize, usize)] = &[(0, 3), (1, 1), (5, 3), (8, 21), (13, 38), (300, 17), (768, 8)];
const WHOLE: &[(usize, usize)] = &[(32, 1), (64, 7), (288, 18), (768, 8)];

#[test]
fn products_with_every_type_are_right() {
    check::<Float>(stored::<Float>, SIZES, 1e-6);
    check::<Bfloat>(stored::<Bfloat>, SIZES, 1e-6);
    check::<Half>(stored_halves, SIZES, 1e-6);
    check::<Q8>(stored::<Q8>, WHOLE, 2e-5);
    check::<Q4>(stored::<Q4>, WHOLE, 2e-5);
}

#[test]
fn what_cannot_be_packed_is_told() {
    unsafe fn packed<F: Format>(from: &[u8], inner: usize) -> u32 {
        let (mut to, worst) = ([0u8; 256], AtomicU32::new(0));
        pack_rows::<F>(&Team::alone(), from.as_ptr(), to.as_mut_ptr(), 1, inner, &worst);
        worst.into_inner()
    }
    let (not_finite, too_large) = (Packing::NotFinite as u32, Packing::TooLarge as u32);
    unsafe {
        assert_eq!(packed::<Float>(&f32::INFINITY.to_le_bytes(), 1), not_finite);
        assert_eq!(packed::<Half>(&[0, 0, 0x00, 0x7e], 2), not_finite);
        // 128, and the largest below it
        assert_eq!(packed::<Half>(&[0x00, 0x58], 1), too_large);
        assert_eq!(packed::<Half>(&[0xff, 0x57], 1), Packing::Done as u32);
    }
}

#[test]
fn what_is_not_finite_is_found_wherever_it_is() {
    unsafe fn found<F: Format>(mut bytes: Vec<u8>, count: usize, at: usize, bad: &[u8]) -> [u32; 2] {
        let look = |bytes: &[u8]| {
            let worst = AtomicU32::new(0);
            all_finite::<F>(&Team::alone(), bytes.as_ptr(), count, &worst);
            worst.into_inner()
        };
        let before = look(&bytes);
        bytes[at..at + bad.len()].copy_from_slice(bad);
        [before, look(&bytes)]
    }
    let told = [Packing::Done as u32, Packing::NotFinite as u32];
    for unit in [0, 1, 4_999] {
        unsafe {
            assert_eq!(found::<Float>(vec![0x11; 20_000], 5_000, 4 * unit, &[0, 0, 0xc0, 0x7f]), told);
            assert_eq!(found::<Half>(vec![0x11; 10_000], 5_000, 2 * unit, &[0, 0x7c]), told);
            assert_eq!(found::<Bfloat>(vec![0x11; 10_000], 5_000, 2 * unit, &[0x80, 0xff]), told);
            assert_eq!(found::<Q8>(vec![0x11; 34 * 5_000], 32 * 5_000, 34 * unit, &[0, 0x7c]), told);
            assert_eq!(found::<Q4>(vec![0x11; 18 * 5_000], 32 * 5_000, 18 * unit, &[0, 0x7e]), told);
        }
    }
}
