use crate::axes;

/// x: strides of 0 along repeated axes; y: contiguous over the axes
pub unsafe fn broadcast(x: *const f32, y: *mut f32, axes: *const u32) {
    axes::copy(x, y, axes);
}
