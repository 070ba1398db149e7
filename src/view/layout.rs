//! Which pane is where, for each view and each size of the terminal. The overview:
//!
//! ```text
//! below 60 × 17: one pane      below 190 wide             from 190 × 31
//! ┌───────────────┐            ┌───────────────────┐      ┌────────────────┬─────────┐
//! │ header        │            │ header, message   │      │ header, message          │
//! │ tabs          │            │ tabs              │      │ tabs                     │
//! │ focused pane  │            │ tasks             │      │ tasks          │ timers  │
//! │               │            │ timers │ blocking │      │                │ blocking│
//! │ footer        │            │ workers│ output   │      │ output         │ workers │
//! └───────────────┘            │ footer            │      │ footer                   │
//!                              └───────────────────┘      └────────────────┴─────────┘
//! ```
//!
//! In other views, panes stand one above the other.
//!
//! Where a stack is too low for both rows under the tasks, one is left: output at the
//! right, and the focused one of the others at the left. Heights depend on the terminal
//! and the focus alone, so nothing moves when tasks come and go.

use ratatui::layout::Rect;

use super::tab::Tab;

/// A part of a screen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pane {
    Tree,
    Tasks,
    Timeline,
    Timers,
    Lateness,
    Blocking,
    Workers,
    Resources,
    Waiters,
    Source,
    Lints,
    Explained,
    Output,
}

impl Pane {
    pub fn title(self) -> &'static str {
        match self {
            Self::Tree => "Tree",
            Self::Tasks => "Tasks",
            Self::Timeline => "Timeline",
            Self::Timers => "Timers",
            Self::Lateness => "Lateness",
            Self::Blocking => "Blocking",
            Self::Workers => "Workers",
            Self::Resources => "Resources",
            Self::Waiters => "Holders and waiters",
            Self::Source => "Source",
            Self::Lints => "Lints",
            Self::Explained => "Explanation",
            Self::Output => "Output",
        }
    }

    /// Lines that are not its rows: the heading, the titles of columns, and what is below.
    pub fn head(self) -> u16 {
        match self {
            Self::Lateness | Self::Output => 1,
            Self::Timeline => 4,
            _ => 2,
        }
    }
}

/// What the arrangement depends on.
#[derive(Copy, Clone, Debug)]
pub struct Wish {
    pub tab: Tab,
    /// One of the view's panes.
    pub focus: Pane,
    /// The focused pane has the whole body.
    pub zoomed: bool,
    /// There is a message that must be seen, even where there is no room kept for it.
    pub message: bool,
    /// Cells at the right that the panes do not have.
    pub beside: u16,
}

/// The screen's regions; an area may be empty.
#[derive(Clone, Debug)]
pub struct Screen {
    pub header: Rect,
    pub message: Rect,
    pub tabs: Rect,
    /// Of the panes, or of what covers them.
    pub body: Rect,
    /// What stands beside the body, at its right; as wide as was wished.
    pub beside: Rect,
    pub footer: Rect,
    pub panes: Vec<(Pane, Rect)>,
}

impl Screen {
    pub fn new(area: Rect, wish: Wish) -> Self {
        let header = match area.height {
            0 => 0,
            1..12 => 1,
            _ => 2,
        };
        let message = u16::from(area.height >= 20 || (wish.message && area.height >= 4));
        let tabs = u16::from(area.height >= 12);
        let footer = u16::from(area.height >= 3);
        let (header, rest) = split_top(area, header);
        let (message, rest) = split_top(rest, message);
        let (tabs, rest) = split_top(rest, tabs);
        let (rest, footer) = split_bottom(rest, footer);
        let left = rest.width.saturating_sub(wish.beside);
        let body = Rect {
            width: left,
            ..rest
        };
        let beside = Rect {
            x: rest.x + left,
            width: rest.width - left,
            ..rest
        };
        let small = body.width < 60 || body.height < 12;
        let panes = if wish.zoomed || small || wish.tab.panes().len() == 1 {
            vec![(wish.focus, body)]
        } else if matches!(wish.tab, Tab::Timers | Tab::Resources) {
            list_and_more(body, wish.tab.panes())
        } else if wish.tab != Tab::Overview {
            rows(body, wish.tab.panes())
        } else if body.width >= 190 && body.height >= 26 {
            each(wish.tab.panes(), wide(body))
        } else if body.height >= 18 {
            each(wish.tab.panes(), stacked(body, wish.focus))
        } else {
            low(body, wish.focus)
        };
        Self {
            header,
            message,
            tabs,
            body,
            beside,
            footer,
            panes,
        }
    }

    /// Where a pane is drawn, if it is.
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes
            .iter()
            .find(|(p, _)| *p == pane)
            .map(|(_, area)| *area)
    }

    /// How many rows of a pane are seen; one where it is not.
    pub fn rows(&self, pane: Pane) -> usize {
        let height = self.pane(pane).map_or(0, |area| area.height);
        usize::from(height.saturating_sub(pane.head())).max(1)
    }
}

/// The panes in their areas, of which there are as many.
fn each<const N: usize>(panes: &[Pane], areas: [Rect; N]) -> Vec<(Pane, Rect)> {
    panes.iter().copied().zip(areas).collect()
}

/// What belongs to a list stands at the right where it has room there, or else below.
fn list_and_more(body: Rect, panes: &[Pane]) -> Vec<(Pane, Rect)> {
    let (list, more) = if body.width >= 130 {
        columns(body, body.width * 13 / 20)
    } else {
        split_bottom(body, (body.height / 2).min(11))
    };
    each(panes, [list, more])
}

/// One above the other, of the same height.
fn rows(body: Rect, panes: &[Pane]) -> Vec<(Pane, Rect)> {
    let mut rest = body;
    let mut rows = Vec::new();
    for (pane, left) in panes.iter().zip((1..=panes.len() as u16).rev()) {
        let (area, below) = split_top(rest, rest.height / left);
        rows.push((*pane, area));
        rest = below;
    }
    rows
}

/// Of the overview, two columns: what goes on at the left, what it goes on with at the right.
fn wide(body: Rect) -> [Rect; 5] {
    let (left, right) = columns(body, body.width * 13 / 20);
    let (tasks, output) = split_bottom(left, left.height * 3 / 10);
    let (rest, workers) = split_bottom(right, right.height * 3 / 10);
    let (timers, blocking) = split_bottom(rest, rest.height / 2);
    [tasks, timers, blocking, workers, output]
}

/// Of the overview, one column, and two panes beside each other in the rows below the tasks.
fn stacked(body: Rect, focus: Pane) -> [Rect; 5] {
    // The row with the focus gives its pane room to read, if there is little.
    let low = body.height * 11 / 40;
    let grown = low.max((body.height * 2 / 5).min(10));
    let (middle, bottom) = match focus {
        Pane::Timers | Pane::Blocking => (grown, low),
        Pane::Workers | Pane::Output => (low, grown),
        _ => (low, low),
    };
    let (rest, bottom) = split_bottom(body, bottom);
    let (tasks, middle) = split_bottom(rest, middle);
    let (timers, blocking) = columns(middle, middle.width / 2);
    let (workers, output) = columns(bottom, bottom.width / 2);
    [tasks, timers, blocking, workers, output]
}

/// Of the overview, one row below the tasks.
fn low(body: Rect, focus: Pane) -> Vec<(Pane, Rect)> {
    let (tasks, bottom) = split_bottom(body, body.height * 2 / 5);
    let (left, output) = columns(bottom, bottom.width / 2);
    let at_left = match focus {
        Pane::Tasks | Pane::Output => Pane::Timers,
        focused => focused,
    };
    vec![
        (Pane::Tasks, tasks),
        (at_left, left),
        (Pane::Output, output),
    ]
}

fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let top = Rect { height, ..area };
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (top, rest)
}

fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height - height.min(area.height))
}

/// Two columns with a gap of one cell for the line between them.
fn columns(area: Rect, left: u16) -> (Rect, Rect) {
    let left = left.min(area.width);
    let gap = u16::from(area.width > left);
    (
        Rect {
            width: left,
            ..area
        },
        Rect {
            x: area.x + left + gap,
            width: area.width - left - gap,
            ..area
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tabs() -> impl Iterator<Item = (Tab, Pane)> {
        let panes = |tab: Tab| tab.panes().iter().map(move |pane| (tab, *pane));
        Tab::ALL.into_iter().flat_map(panes)
    }

    #[test]
    fn regions_lie_within_and_never_overlap() {
        for (width, height) in (0..210)
            .step_by(3)
            .flat_map(|w| (0..62).map(move |h| (w, h)))
        {
            for (tab, focus) in tabs() {
                for (zoomed, message, beside) in [
                    (false, false, 0),
                    (true, false, 0),
                    (false, true, 0),
                    (false, false, 48),
                ] {
                    let area = Rect::new(0, 0, width, height);
                    let wish = Wish {
                        tab,
                        focus,
                        zoomed,
                        message,
                        beside,
                    };
                    let screen = Screen::new(area, wish);
                    let mut parts = vec![screen.header, screen.message, screen.tabs, screen.footer];
                    parts.push(screen.beside);
                    parts.extend(screen.panes.iter().map(|(_, area)| *area));
                    for (i, part) in parts.iter().enumerate() {
                        assert_eq!(area.intersection(*part).area(), part.area());
                        for other in &parts[..i] {
                            let both = part.intersection(*other);
                            assert!(both.is_empty(), "{part} and {other} in {area}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_focused_pane_is_always_there() {
        for (width, height) in (1..210)
            .step_by(5)
            .flat_map(|w| (1..62).map(move |h| (w, h)))
        {
            for (tab, focus) in tabs() {
                let wish = Wish {
                    tab,
                    focus,
                    zoomed: false,
                    message: false,
                    beside: 0,
                };
                let screen = Screen::new(Rect::new(0, 0, width, height), wish);
                assert!(screen.pane(focus).is_some());
            }
        }
    }
}
