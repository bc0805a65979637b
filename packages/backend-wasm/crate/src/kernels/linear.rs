use crate::matrices::{product as matrix_product, FEWEST_ROWS};
use crate::packed::{product, product_of_columns, with_format};
use crate::rows::{by_columns, by_rows};
use crate::team::Team;

/// y = x @ wᵀ. x: [rows, inner]; w: packed in the type that `format` numbers, [outer, inner]; y: [rows, outer];
/// scratch: see `packed::scratch`
pub unsafe fn linear(
    team: &Team,
    format: u32,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    with_format!(format, product, team, x, w, y, scratch, rows, inner, outer)
}

/// y = x @ wᵀ for an x of many zeros. As `linear`, but w column by column; scratch: see `packed::columns_scratch`
pub unsafe fn linear_sparse(
    team: &Team,
    format: u32,
    x: *const f32,
    w: *const u8,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    with_format!(format, product_of_columns, team, x, w, y, scratch, rows, inner, outer)
}

/// y = x @ wᵀ. x: [rows, inner]; w: [outer, inner]; y: [rows, outer]; scratch: [threads, matrices::SCRATCH]
pub unsafe fn linear_rows(
    team: &Team,
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    if rows < FEWEST_ROWS {
        by_rows(team, x, w, y, rows, inner, outer);
    } else {
        matrix_product(team, x, w, y, scratch, 1, rows, inner, outer, false, true);
    }
}

/// y = x @ w. x: [rows, inner]; w: [inner, outer]; y: [rows, outer]; scratch: [threads, matrices::SCRATCH]
pub unsafe fn linear_columns(
    team: &Team,
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    scratch: *mut f32,
    rows: usize,
    inner: usize,
    outer: usize,
) {
    if rows < FEWEST_ROWS {
        by_columns(team, x, w, y, rows, inner, outer);
    } else {
        matrix_product(team, x, w, y, scratch, 1, rows, inner, outer, false, false);
    }
}
