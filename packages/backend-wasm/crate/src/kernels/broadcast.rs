use crate::axes;
use crate::team::Team;

/// x: strides of 0 along repeated axes; y: contiguous over the axes
pub unsafe fn broadcast(team: &Team, x: *const f32, y: *mut f32, axes: *const u64, _: usize) {
    axes::copy(team, x, y, axes);
}
