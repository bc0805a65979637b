use crate::axes::Axes;
use crate::simd::F4;
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
    kept.each(team, |at, [from]| *y.add(at) = (total(x.add(from), &folded) * scale) as f32);
}

unsafe fn total(x: *const f32, folded: &Axes<1>) -> f64 {
    let mut sum = 0.0;
    folded.each(&Team::alone(), |_, [from]| sum += f64::from(*x.add(from)));
    sum
}

unsafe fn largest(x: *const f32, folded: &Axes<1>) -> f32 {
    let mut most = F4::splat(f32::NEG_INFINITY);
    folded.each(&Team::alone(), |_, [from]| most = most.max(F4::splat(*x.add(from))));
    most.first()
}
