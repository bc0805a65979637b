use crate::axes::Axes;
use crate::kernels::softmax::{largest as largest_of_row, total as total_of_row};
use crate::simd::{D4, F4, LANES, LINE};
use crate::team::Team;

/// x: strided; kept: axes that stay, folded: axes that go; y: contiguous over `kept`.
/// Sums are held in f64, so that their order does not show. function: its place in core's list
pub unsafe fn reduce(
    team: &Team,
    function: u32,
    x: *const f32,
    y: *mut f32,
    kept: *const u64,
    folded: *const u64,
    _: usize,
) {
    let (kept, folded) = (Axes::<1>::read(kept), Axes::<1>::read(folded));
    if function == 1 {
        return kept.each(team, |at, [from]| *y.add(at) = largest(x.add(from), &folded));
    }
    let scale = if function == 2 { 1.0 / folded.count().max(1) as f64 } else { 1.0 };
    if kept.steps() == [1] {
        let width = kept.width();
        return kept.share(team, |row, [from], begin, end| {
            for column in (begin..end).step_by(LINE) {
                let y = y.add(row * width + column);
                columns(x.add(from + column), y, &folded, LINE.min(end - column), scale);
            }
        });
    }
    kept.each(team, |at, [from]| *y.add(at) = (total(x.add(from), &folded) * scale) as f32);
}

/// Sums of `count` columns side by side, LINE at most.
unsafe fn columns(x: *const f32, y: *mut f32, folded: &Axes<1>, count: usize, scale: f64) {
    let mut sums = [D4::zero(); LINE / LANES];
    if count == LINE {
        folded.each(&Team::alone(), |_, [from]| {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = *sum + D4::widen(F4::load(x.add(from + i * LANES)));
            }
        });
    } else {
        folded.each(&Team::alone(), |_, [from]| {
            for (i, sum) in sums.iter_mut().enumerate() {
                let some = count.saturating_sub(i * LANES);
                *sum = *sum + D4::widen(F4::load_some(x.wrapping_add(from + i * LANES), some));
            }
        });
    }
    for (i, sum) in sums.into_iter().enumerate() {
        let some = count.saturating_sub(i * LANES);
        (sum.scaled(scale)).narrow().store_some(y.wrapping_add(i * LANES), some);
    }
}

unsafe fn total(x: *const f32, folded: &Axes<1>) -> f64 {
    let mut sum = 0.0;
    if folded.steps() == [1] {
        folded.share(&Team::alone(), |_, [from], begin, end| sum += total_of_row(x.add(from + begin), end - begin));
    } else {
        folded.each(&Team::alone(), |_, [from]| sum += f64::from(*x.add(from)));
    }
    sum
}

unsafe fn largest(x: *const f32, folded: &Axes<1>) -> f32 {
    let mut most = F4::splat(f32::NEG_INFINITY);
    if folded.steps() == [1] {
        folded.share(&Team::alone(), |_, [from], begin, end| {
            most = most.max(F4::splat(largest_of_row(x.add(from + begin), end - begin)));
        });
    } else {
        folded.each(&Team::alone(), |_, [from]| most = most.max(F4::splat(*x.add(from))));
    }
    most.first()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_summed() {
        let x: Vec<f32> = (0..3 * 21).map(|i| i as f32).collect();
        let (mut rows, mut columns) = ([0.0; 3], [0.0; 21]);
        let (by_row, by_column) = ([1, 3, 21], [1, 21, 1]);
        unsafe {
            reduce(&Team::alone(), 0, x.as_ptr(), rows.as_mut_ptr(), by_row.as_ptr(), by_column.as_ptr(), 0);
            reduce(&Team::alone(), 2, x.as_ptr(), columns.as_mut_ptr(), by_column.as_ptr(), by_row.as_ptr(), 0);
        }
        assert_eq!(rows, [210.0, 651.0, 1092.0]);
        assert_eq!(columns, core::array::from_fn(|c| 21.0 + c as f32));
    }
}
