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

/// The one of some shapes, of growing size, that stands for a share of the whole.
fn part<'a>(shapes: &[&'a str], share: f64) -> &'a str {
    let level = (share.clamp(0.0, 1.0) * shapes.len() as f64).ceil() as usize;
    shapes
        .get(level.max(1) - 1)
        .or(shapes.last())
        .copied()
        .unwrap_or(" ")
}
