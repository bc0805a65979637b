use crate::axes::Axes;
use crate::team::Team;

/// a, b: f32, strided; y: i32, contiguous over the axes; function: its place in core's list
pub unsafe fn compare(
    team: &Team,
    function: u32,
    a: *const f32,
    b: *const f32,
    y: *mut i32,
    axes: *const u64,
    _: usize,
) {
    apply(team, function, a, b, y, axes);
}

/// The same for i32.
pub unsafe fn compare_whole(
    team: &Team,
    function: u32,
    a: *const i32,
    b: *const i32,
    y: *mut i32,
    axes: *const u64,
    _: usize,
) {
    apply(team, function, a, b, y, axes);
}

unsafe fn apply<T: PartialOrd + Copy>(
    team: &Team,
    function: u32,
    a: *const T,
    b: *const T,
    y: *mut i32,
    axes: *const u64,
) {
    let holds = |p: T, q: T| match function {
        0 => p == q,
        1 => p < q,
        2 => p <= q,
        3 => p > q,
        _ => p >= q,
    };
    Axes::<2>::read(axes).each(team, |at, [i, j]| *y.add(at) = i32::from(holds(*a.add(i), *b.add(j))));
}
