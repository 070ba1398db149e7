//! Widgets that know no model: they draw numbers and shapes that they are given.

pub mod axis;
pub mod bar;
pub mod chart;
pub mod lane;
pub mod stack;
pub mod strip;

pub use axis::Axis;
pub use bar::Bar;
pub use chart::Chart;
pub use lane::{Edge, Lane, LaneCell, LaneStyles, Load, Side};
pub use stack::Stack;
pub use strip::{Cell, Strip};
