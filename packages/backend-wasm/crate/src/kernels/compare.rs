use crate::axes::Axes;

/// a, b: f32, strided; y: i32, contiguous over the axes; function: its place in core's list
pub unsafe fn compare(function: u32, a: *const f32, b: *const f32, y: *mut i32, axes: *const u32) {
    apply(function, a, b, y, axes);
}

/// The same for i32.
pub unsafe fn compare_whole(function: u32, a: *const i32, b: *const i32, y: *mut i32, axes: *const u32) {
    apply(function, a, b, y, axes);
}

unsafe fn apply<T: PartialOrd + Copy>(function: u32, a: *const T, b: *const T, y: *mut i32, axes: *const u32) {
    let holds = |p: T, q: T| match function {
        0 => p == q,
        1 => p < q,
        2 => p <= q,
        3 => p > q,
        _ => p >= q,
    };
    Axes::<2>::read(axes).each(|at, [i, j]| *y.add(at) = i32::from(holds(*a.add(i), *b.add(j))));
}
