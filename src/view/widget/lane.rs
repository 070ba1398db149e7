//! A line of time: what something did, a cell for each stretch, the oldest at the left.
//!
//! Work fills a cell from below by its share, or from a side where it began or ended within
//! the cell, in eighths of it. What rests is a line, each kind of rest of its own shape.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    widgets::Widget,
};

use super::part;
use crate::view::{glyphs::Glyphs, pen::Pen};

/// A stretch of time.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub enum LaneCell {
    /// Before the start, after the end, or unknown.
    #[default]
    Blank,
    /// The share of it that went into work, where in the cell that was, and what it meant
    /// for others.
    Work {
        share: f64,
        at: Side,
        load: Load,
    },
    /// The share of it that was delay.
    Delay {
        share: f64,
    },
    Sleep,
    Wait,
    Idle,
    /// It lies in a block that has a beginning and an end.
    Bracket(Edge),
}

/// Where in a cell work was.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// In several pieces, or in the midst.
    Throughout,
    Left,
    Right,
}

/// What work meant for what had to wait for it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Load {
    Light,
    /// It was long in one piece.
    Long,
    /// It was so long that it blocked others.
    Blocking,
}

/// A part of a bracket.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    Begin,
    Within,
    End,
    /// It begins and ends here.
    Both,
}

/// How the parts of a lane look.
#[derive(Copy, Clone, Debug)]
pub struct LaneStyles {
    pub work: Style,
    pub long: Style,
    pub blocking: Style,
    pub delay: Style,
    pub sleep: Style,
    pub wait: Style,
    pub idle: Style,
    pub bracket: Style,
}

pub struct Lane<'a> {
    pub cells: &'a [LaneCell],
    pub styles: &'a LaneStyles,
    pub glyphs: &'a Glyphs,
}

impl Lane<'_> {
    fn cell(&self, cell: LaneCell) -> (&str, Style) {
        let (glyphs, styles) = (self.glyphs, self.styles);
        match cell {
            LaneCell::Blank => (" ", Style::new()),
            LaneCell::Work { share, at, load } => self.work(share, at, load),
            LaneCell::Delay { share } => (glyphs.delays[usize::from(share > 0.5)], styles.delay),
            LaneCell::Sleep => (glyphs.lane_sleep, styles.sleep),
            LaneCell::Wait => (glyphs.lane_wait, styles.wait),
            LaneCell::Idle => (glyphs.rest, styles.idle),
            LaneCell::Bracket(edge) => (glyphs.brackets[edge as usize], styles.bracket),
        }
    }

    fn work(&self, share: f64, at: Side, load: Load) -> (&str, Style) {
        let style = match load {
            Load::Light => self.styles.work,
            Load::Long => self.styles.long,
            Load::Blocking => return (self.glyphs.blocked, self.styles.blocking),
        };
        let (levels, parts) = (self.glyphs.levels, self.glyphs.parts);
        match at {
            Side::Left if parts.len() > 1 => (part(parts, share), style),
            // What is left of the cell is drawn, and then turned about.
            Side::Right if parts.len() > 1 && share < 1.0 => {
                let style = style.add_modifier(Modifier::REVERSED);
                (part(parts, 1.0 - share), style)
            }
            _ => (part(levels, share), style),
        }
    }
}

impl Widget for &Lane<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let mut pen = Pen::new(area, 0, buf);
        for cell in self.cells {
            let (symbol, style) = self.cell(*cell);
            pen.put(symbol, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::{ASCII, UNICODE};

    fn work(share: f64, at: Side) -> LaneCell {
        let load = Load::Light;
        LaneCell::Work { share, at, load }
    }

    fn drawn(cells: &[LaneCell], glyphs: &Glyphs) -> Buffer {
        let plain = Style::new();
        let styles = LaneStyles {
            work: plain,
            long: plain,
            blocking: plain,
            delay: plain,
            sleep: plain,
            wait: plain,
            idle: plain,
            bracket: plain,
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, cells.len() as u16, 1));
        let lane = Lane {
            cells,
            styles: &styles,
            glyphs,
        };
        lane.render(buf.area, &mut buf);
        buf
    }

    fn symbols(buf: &Buffer) -> Vec<&str> {
        let cells = buf.content().iter();
        cells.map(ratatui::buffer::Cell::symbol).collect()
    }

    fn text(cells: &[LaneCell], glyphs: &Glyphs) -> String {
        symbols(&drawn(cells, glyphs)).concat()
    }

    #[test]
    fn each_state_has_a_shape_of_its_own() {
        let cells = [
            LaneCell::Blank,
            LaneCell::Bracket(Edge::Begin),
            LaneCell::Bracket(Edge::Within),
            LaneCell::Bracket(Edge::End),
            LaneCell::Bracket(Edge::Both),
            LaneCell::Delay { share: 0.2 },
            LaneCell::Delay { share: 0.8 },
            work(0.001, Side::Throughout),
            work(0.5, Side::Throughout),
            work(1.0, Side::Throughout),
            LaneCell::Work {
                share: 0.1,
                at: Side::Throughout,
                load: Load::Blocking,
            },
            LaneCell::Sleep,
            LaneCell::Wait,
            LaneCell::Idle,
        ];
        assert_eq!(text(&cells, &UNICODE), " ╞═╡╪░▒▁▄█▓─┄·");
        assert_eq!(text(&cells, &ASCII), " [=]HrR_-#BzO.");
    }

    #[test]
    fn work_begins_and_ends_within_a_cell() {
        let cells = [
            work(0.25, Side::Right),
            work(1.0, Side::Right),
            work(0.375, Side::Left),
        ];
        let buf = drawn(&cells, &UNICODE);
        assert_eq!(symbols(&buf), ["▊", "█", "▍"]);
        let reversed = |i: usize| buf.content()[i].modifier.contains(Modifier::REVERSED);
        assert!(reversed(0) && !reversed(1) && !reversed(2));
        assert_eq!(text(&cells, &ASCII), "_#-");
    }
}
