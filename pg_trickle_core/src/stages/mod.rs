//! The stages of a stream table while they are planned: what each stores, which indexes it has, and how the stages
//! above read it.

pub mod advice;
pub mod clock;
pub mod graph;
pub mod indexes;
pub mod order_index;
pub mod restricted;
pub mod stage_plan;
pub mod stored;
pub mod view;
