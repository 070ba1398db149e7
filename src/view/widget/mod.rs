//! Widgets that know no model: they draw numbers and shapes that they are given.

pub mod bar;
pub mod chart;
pub mod stack;
pub mod strip;

pub use bar::Bar;
pub use chart::Chart;
pub use stack::Stack;
pub use strip::{Cell, Strip};
