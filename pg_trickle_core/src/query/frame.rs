//! The bits of a window's frame: `FRAMEOPTION_*` in parsenodes.h.

/// The frame was written.
pub const NONDEFAULT: i32 = 0x1;
/// `RANGE`.
pub const RANGE: i32 = 0x2;
/// `ROWS`.
pub const ROWS: i32 = 0x4;
/// `GROUPS`.
pub const GROUPS: i32 = 0x8;
/// `BETWEEN`.
pub const BETWEEN: i32 = 0x10;
/// From `UNBOUNDED PRECEDING`.
pub const START_UNBOUNDED_PRECEDING: i32 = 0x20;
/// To `UNBOUNDED FOLLOWING`.
pub const END_UNBOUNDED_FOLLOWING: i32 = 0x100;
/// From `CURRENT ROW`.
pub const START_CURRENT_ROW: i32 = 0x200;
/// To `CURRENT ROW`.
pub const END_CURRENT_ROW: i32 = 0x400;
/// From `n PRECEDING`.
pub const START_OFFSET_PRECEDING: i32 = 0x800;
/// To `n PRECEDING`.
pub const END_OFFSET_PRECEDING: i32 = 0x1000;
/// From `n FOLLOWING`.
pub const START_OFFSET_FOLLOWING: i32 = 0x2000;
/// To `n FOLLOWING`.
pub const END_OFFSET_FOLLOWING: i32 = 0x4000;
/// `EXCLUDE CURRENT ROW`.
pub const EXCLUDE_CURRENT_ROW: i32 = 0x8000;
/// `EXCLUDE GROUP`.
pub const EXCLUDE_GROUP: i32 = 0x10000;
/// `EXCLUDE TIES`.
pub const EXCLUDE_TIES: i32 = 0x20000;
