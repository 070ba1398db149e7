//! The views, each a whole screen with a number key, and the line that names them.
//!
//! ```text
//!  1 Overview  2 Timeline  3 Tree  4 Tasks  5 Timers  6 Threads  …  0 Output
//! ```
//!
//! Where that has no room, the short names do; and where those have none, only the view that
//! is shown is named.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{View, layout::Pane, pen::Pen, text};

/// An arrangement of panes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tab {
    Overview,
    Timeline,
    Tree,
    Tasks,
    Timers,
    Threads,
    Resources,
    Source,
    Lints,
    Output,
}

impl Tab {
    /// In the order of their keys.
    pub const ALL: [Self; 10] = [
        Self::Overview,
        Self::Timeline,
        Self::Tree,
        Self::Tasks,
        Self::Timers,
        Self::Threads,
        Self::Resources,
        Self::Source,
        Self::Lints,
        Self::Output,
    ];

    /// The key that leads to it.
    pub const fn key(self) -> char {
        match self {
            Self::Overview => '1',
            Self::Timeline => '2',
            Self::Tree => '3',
            Self::Tasks => '4',
            Self::Timers => '5',
            Self::Threads => '6',
            Self::Resources => '7',
            Self::Source => '8',
            Self::Lints => '9',
            Self::Output => '0',
        }
    }

    /// What the configuration and the palette call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Timeline => "timeline",
            Self::Tree => "tree",
            Self::Tasks => "tasks",
            Self::Timers => "timers",
            Self::Threads => "threads",
            Self::Resources => "resources",
            Self::Source => "source",
            Self::Lints => "lints",
            Self::Output => "output",
        }
    }

    /// In full, and short.
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Overview => ["Overview", "Over"],
            Self::Timeline => ["Timeline", "Time"],
            Self::Tree => ["Tree", "Tree"],
            Self::Tasks => ["Tasks", "Tasks"],
            Self::Timers => ["Timers", "Timers"],
            Self::Threads => ["Threads", "Thr"],
            Self::Resources => ["Resources", "Res"],
            Self::Source => ["Source", "Src"],
            Self::Lints => ["Lints", "Lint"],
            Self::Output => ["Output", "Out"],
        }
    }

    /// Its panes; the first has the focus at first.
    pub fn panes(self) -> &'static [Pane] {
        match self {
            Self::Overview => &[
                Pane::Tasks,
                Pane::Timers,
                Pane::Blocking,
                Pane::Workers,
                Pane::Output,
            ],
            Self::Timeline => &[Pane::Timeline],
            Self::Tree => &[Pane::Tree],
            Self::Tasks => &[Pane::Tasks],
            Self::Timers => &[Pane::Timers, Pane::Lateness],
            Self::Threads => &[Pane::Workers, Pane::Blocking],
            Self::Resources => &[Pane::Resources, Pane::Waiters],
            Self::Source => &[Pane::Source],
            Self::Lints => &[Pane::Lints, Pane::Explained],
            Self::Output => &[Pane::Output],
        }
    }

    /// The view that shows a pane on a whole screen.
    pub fn of(pane: Pane) -> Self {
        let whole = Self::ALL.into_iter().skip(1);
        whole
            .filter(|tab| tab.panes().contains(&pane))
            .min_by_key(|tab| tab.panes().len())
            .unwrap_or(Self::Overview)
    }
}

/// How the names are cut to fit.
const FULL: usize = 0;
const SHORT: usize = 1;

pub struct Tabs<'a>(pub(super) View<'a>);

impl Widget for &Tabs<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let mut pen = Pen::new(area, 0, buf);
        for (tab, words, gap) in self.words(usize::from(area.width)) {
            let style = if tab == view.state.tab {
                view.theme.tab()
            } else {
                view.theme.dim()
            };
            pen.put(&words, style).skip(gap);
        }
    }
}

impl Tabs<'_> {
    /// The view that is named at a place of the line.
    pub fn at(&self, area: Rect, x: u16) -> Option<Tab> {
        let mut from = usize::from(area.x);
        let words = self.words(usize::from(area.width));
        words.into_iter().find_map(|(tab, words, gap)| {
            let to = from + text::width(&words);
            let found = (from..to).contains(&usize::from(x)).then_some(tab);
            from = to + gap;
            found
        })
    }

    /// Each view's words, and the cells behind them.
    fn words(&self, width: usize) -> Vec<(Tab, String, usize)> {
        let shown = self.0.state.tab;
        let line = |style: usize, gap: usize| -> Vec<(Tab, String, usize)> {
            let word = |tab: Tab| match tab.names().get(style) {
                Some(name) => format!(" {} {name} ", tab.key()),
                None if tab == shown => format!(" {} {} ", tab.key(), tab.names()[SHORT]),
                None => tab.key().to_string(),
            };
            Tab::ALL.map(|tab| (tab, word(tab), gap)).into()
        };
        [line(FULL, 1), line(FULL, 0), line(SHORT, 0)]
            .into_iter()
            .find(|words| {
                let cells = words.iter().map(|(_, word, gap)| text::width(word) + gap);
                cells.sum::<usize>() <= width
            })
            .unwrap_or_else(|| line(usize::MAX, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_has_a_key_of_its_own_and_panes() {
        for (i, tab) in Tab::ALL.iter().enumerate() {
            assert!(Tab::ALL[..i].iter().all(|other| other.key() != tab.key()));
            assert!(!tab.panes().is_empty());
        }
    }

    #[test]
    fn every_pane_has_a_view_that_shows_it_whole() {
        for pane in Tab::Overview.panes() {
            assert_ne!(Tab::of(*pane), Tab::Overview);
        }
    }
}
