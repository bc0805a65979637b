use crate::axes::Axes;
use crate::team::Team;

/// condition: i32, a, b: f32, all strided; y: contiguous over the axes
pub unsafe fn select(
    team: &Team,
    condition: *const i32,
    a: *const f32,
    b: *const f32,
    y: *mut f32,
    axes: *const u64,
    _: usize,
) {
    Axes::<3>::read(axes)
        .each(team, |at, [c, i, j]| *y.add(at) = if *condition.add(c) != 0 { *a.add(i) } else { *b.add(j) });
}
