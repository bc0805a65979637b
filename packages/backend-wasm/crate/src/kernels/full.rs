/// y: [count]
pub unsafe fn full(value: f32, y: *mut f32, count: usize) {
    for i in 0..count {
        *y.add(i) = value;
    }
}
