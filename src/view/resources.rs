//! Locks, semaphores and channels, those first for which somebody has waited the longest; and
//! of the selected one who holds it, who waits in which order, and its attributes.
//!
//! ```text
//! ━ 7 Resources  2 held  2 awaited ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  KIND      AT           STATE     HELD BY       WAITERS  LONGEST
//! ▸Mutex     mutex.rs:18  locked    writer              2   812 ms
//!  channel   –            full      –                   1   300 ms
//!  Semaphore pool.rs:3    1 free    ≈a and b            0        –
//! ─ 7 Holders and waiters  Mutex  mutex.rs:18 ───────────────────────
//!           TASK               FOR  WHY
//!  holds    writer          1.20 s  sleep 300 ms · mutex.rs:20
//!  waits 1  reader          812 ms
//!  locked   true
//! ```

use std::{cmp::Reverse, time::Duration};

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step},
    cursor::{Cursor, Motion},
    fmt,
    layout::Pane,
    lists::Lists,
    pane::{self, Table},
    pen::Pen,
};
use crate::model::{AsyncOp, Holder, Holders, Model, Phase, Resource, ResourceKind, TaskId, Why};

/// The rows of both panes.
#[derive(Clone, Debug, Default)]
pub struct ResourcesState {
    list: Vec<u64>,
    /// How many there would be without a filter.
    all: usize,
    pub cursor: Cursor<u64>,
    /// Of the selected resource.
    parties: Vec<Party>,
    pub party: Cursor<Party>,
    /// Whose parties those are.
    of: Option<u64>,
    held: usize,
    awaited: usize,
}

/// A row of the lower pane.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Holder(Holder),
    /// Holders whom nobody names.
    Others,
    /// It takes messages out of the channel.
    Receiver(TaskId),
    Waiter(TaskId),
    Attribute(usize),
}

impl ResourcesState {
    /// Waiters of one resource, at most: nobody scrolls farther.
    const MOST: usize = 500;

    /// `heights` of both panes, in rows.
    pub fn sync(&mut self, model: &Model, lists: &Lists, heights: [usize; 2]) {
        let mut rows: Vec<_> = model.resources.iter().collect();
        self.all = rows.len();
        if lists.hides() {
            let is_shown = |party: &Party| lists.is_shown(party.task());
            rows.retain(|resource| parties(model, resource).iter().any(is_shown));
        }
        rows.sort_by_cached_key(|resource| {
            let is_free = holders(model, resource).is_none_or(|h| h.list.is_empty());
            let waited = Reverse(longest_wait(model, resource));
            let is_tokios = resource.is_made_by_runtime();
            (waited, is_free, is_tokios, resource.created, resource.span)
        });
        let is_held = |r: &&&Resource| holders(model, r).is_some_and(|h| !h.list.is_empty());
        self.held = rows.iter().filter(is_held).count();
        let is_awaited = |r: &&&Resource| longest_wait(model, r).is_some();
        self.awaited = rows.iter().filter(is_awaited).count();
        self.list = rows.iter().map(|resource| resource.span).collect();
        self.cursor.sync(self.list.iter().copied(), heights[0]);
        let at = self.selected();
        if at != self.of {
            self.of = at;
            self.party.reset();
        }
        let resource = at.and_then(|span| model.resources.get(span));
        self.parties = resource.map_or(Vec::new(), |resource| parties(model, resource));
        self.party.sync(self.parties.iter().copied(), heights[1]);
    }

    fn selected(&self) -> Option<u64> {
        self.list.get(self.cursor.row()).copied()
    }

    pub fn go(&mut self, how: Motion, height: usize) {
        self.cursor.go(how, self.list.iter().copied(), height);
    }

    pub fn go_to_party(&mut self, how: Motion, height: usize) {
        self.party.go(how, self.parties.iter().copied(), height);
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How many rows there are, and would be without a filter.
    pub fn found(&self) -> (usize, usize) {
        (self.list.len(), self.all)
    }

    pub fn party_count(&self) -> usize {
        self.parties.len()
    }

    /// The task of a row of the lower pane.
    pub fn task_at(&self, row: usize) -> Option<TaskId> {
        self.parties.get(row)?.task()
    }
}

impl Party {
    fn task(self) -> Option<TaskId> {
        match self {
            Self::Holder(Holder::Task(task)) | Self::Receiver(task) | Self::Waiter(task) => {
                Some(task)
            }
            Self::Holder(_) | Self::Others | Self::Attribute(_) => None,
        }
    }
}

fn holders<'a>(model: &'a Model, resource: &Resource) -> Option<&'a Holders> {
    model.resources.holders(resource.span)
}

/// How long the first in line has waited.
fn longest_wait(model: &Model, resource: &Resource) -> Option<Duration> {
    let first = model.resources.waiters(resource.span).next()?;
    first.waits_since().map(|since| model.now.since(since))
}

fn parties(model: &Model, resource: &Resource) -> Vec<Party> {
    let mut parties = Vec::new();
    if let Some(holders) = holders(model, resource) {
        parties.extend(holders.list.iter().map(|hold| Party::Holder(hold.by)));
        parties.extend((holders.other_permits > 0).then_some(Party::Others));
    }
    parties.extend(model.resources.receiver(resource.span).map(Party::Receiver));
    let waiters = model.resources.waiters(resource.span);
    let waiters = waiters.filter_map(|op| op.task.map(Party::Waiter));
    parties.extend(waiters.take(ResourcesState::MOST));
    parties.extend((0..resource.attributes.len()).map(Party::Attribute));
    parties
}

pub struct Resources<'a>(pub(super) View<'a>);

const KIND: usize = 0;
const AT: usize = 1;
const STATE: usize = 2;
const HELD_BY: usize = 3;
const WAITERS: usize = 4;
const LONGEST: usize = 5;
const TITLES: [&str; 6] = ["KIND", "AT", "STATE", "HELD BY", "WAITERS", "LONGEST"];

const GROWTH: &[Step] = &[
    step(KIND, 9),
    step(STATE, 8),
    step(HELD_BY, 8),
    step(LONGEST, fmt::DURATION),
    step(WAITERS, 7),
    step(AT, 12),
    step(STATE, 11),
    step(HELD_BY, 16),
    step(AT, 24),
    step(HELD_BY, 30),
    step(AT, 40),
    step(HELD_BY, 60),
];

fn align(column: usize) -> Align {
    match column {
        WAITERS | LONGEST => Align::Right,
        _ => Align::Left,
    }
}

impl Widget for &Resources<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let theme = view.theme;
        let state = &view.state.resources;
        let facts = [
            (format!("{} held", state.held), theme.text()),
            (format!("{} awaited", state.awaited), theme.text()),
        ];
        let area = pane::heading(view, Pane::Resources, &facts, area, buf);
        if state.list.is_empty() {
            if matches!(view.model.phase, Phase::Ended(_)) {
                let lines = [
                    "The program has ended, and with it its locks,",
                    "semaphores and channels. An earlier moment shows",
                    "those that it had: the left arrow goes back.",
                ];
                pane::empty(view, Pane::Resources, &lines, area, buf);
                return;
            }
            let lines = [
                "No locks, semaphores or channels.",
                "tokio tells of Mutex, RwLock, Semaphore, Barrier,",
                "OnceCell, oneshot and bounded mpsc made by `new`",
                "or `channel`; not of those made by `const_new`, and",
                "not of Notify, watch, broadcast and unbounded mpsc.",
            ];
            pane::empty(view, Pane::Resources, &lines, area, buf);
            return;
        }
        let table = Table {
            pane: Pane::Resources,
            titles: &TITLES,
            growth: GROWTH,
            align,
            indent: 1,
        };
        let (list, cursor) = (&state.list, &state.cursor);
        pane::table(view, table, list, cursor, area, buf, |span, widths, pen| {
            let cells = self.row(view.model.resources.get(*span)?);
            put(view, &cells, widths, align, pen);
            Some(())
        });
    }
}

impl Resources<'_> {
    fn row(&self, resource: &Resource) -> [(String, Style); 6] {
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let holders = holders(model, resource);
        let is_held = holders.is_some_and(|h| !h.is_empty());
        let waiters = model.resources.waiters(resource.span).count();
        let longest = longest_wait(model, resource);
        let waits = match longest {
            Some(_) => theme.ready(),
            None => theme.dim(),
        };
        let text = if is_held || waiters > 0 {
            theme.text()
        } else {
            theme.dim()
        };
        let at = view.location(resource.location.as_ref());
        let dash = || view.glyphs.dash.to_owned();
        [
            (view.clean(resource.kind_name()), text),
            (at.unwrap_or_else(dash), theme.dim()),
            (status(view, resource), text),
            (
                match (holders, model.resources.receiver(resource.span)) {
                    (Some(holders), _) => view.holders(holders),
                    (None, Some(task)) => format!("read by {}", view.label_of(task)),
                    (None, None) => dash(),
                },
                text,
            ),
            (fmt::count(waiters as u64), waits),
            (view.known(longest), waits),
        ]
    }
}

/// What its attributes, holders and waiters come to, in a word or two.
fn status(view: View<'_>, resource: &Resource) -> String {
    let model = view.model;
    let number = |name| resource.attribute::<u64>(name);
    let flag = |name| resource.attribute::<bool>(name) == Some(true);
    let is_held = holders(model, resource).is_some_and(|h| !h.is_empty());
    let waiters = model.resources.waiters(resource.span).count();
    let left = |none: &str| match number("permits") {
        _ if waiters > 0 => none.to_owned(),
        Some(0) => none.to_owned(),
        Some(left) => format!("{} free", fmt::count(left)),
        None => view.glyphs.dash.to_owned(),
    };
    match resource.kind {
        ResourceKind::Mutex if is_held || flag("locked") => "locked".to_owned(),
        ResourceKind::RwLock if flag("write_locked") => "written".to_owned(),
        ResourceKind::RwLock => match number("current_readers") {
            Some(readers) if readers > 0 => format!("{} reading", fmt::count(readers)),
            _ => "free".to_owned(),
        },
        ResourceKind::Mutex => "free".to_owned(),
        ResourceKind::Semaphore => left("none left"),
        ResourceKind::Channel => left("full"),
        ResourceKind::OnceCell if is_held => "being made".to_owned(),
        ResourceKind::Barrier => {
            let size = number("size").map_or_else(|| "?".to_owned(), fmt::count);
            format!("{waiters} of {size}")
        }
        ResourceKind::Oneshot if flag("value_sent") => "sent".to_owned(),
        ResourceKind::Oneshot if flag("tx_dropped") => "no sender".to_owned(),
        ResourceKind::Oneshot => "empty".to_owned(),
        ResourceKind::OnceCell | ResourceKind::Other => view.glyphs.dash.to_owned(),
    }
}

pub struct Waiters<'a>(pub(super) View<'a>);

const ROLE: usize = 0;
const TASK: usize = 1;
const FOR: usize = 2;
const WHY: usize = 3;
const PARTY_TITLES: [&str; 4] = ["", "TASK", "FOR", "WHY"];

const PARTY_GROWTH: &[Step] = &[
    step(ROLE, 8),
    step(TASK, 12),
    step(FOR, fmt::DURATION),
    step(TASK, 16),
    step(WHY, 10),
    step(ROLE, 14),
    step(WHY, 30),
    step(TASK, 40),
    step(WHY, 80),
];

fn party_align(column: usize) -> Align {
    match column {
        FOR => Align::Right,
        _ => Align::Left,
    }
}

impl Widget for &Waiters<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let theme = view.theme;
        let state = &view.state.resources;
        let selected = state.of.and_then(|span| view.model.resources.get(span));
        let facts: Vec<(String, Style)> = selected
            .into_iter()
            .flat_map(|resource| {
                let at = view.location(resource.location.as_ref());
                let kind = (view.clean(resource.kind_name()), theme.text());
                [Some(kind), at.map(|at| (at, theme.dim()))]
            })
            .flatten()
            .collect();
        let area = pane::heading(view, Pane::Waiters, &facts, area, buf);
        let Some(resource) = selected else {
            return;
        };
        let table = Table {
            pane: Pane::Waiters,
            titles: &PARTY_TITLES,
            growth: PARTY_GROWTH,
            align: party_align,
            indent: 1,
        };
        let waiters: Vec<&AsyncOp> = view.model.resources.waiters(resource.span).collect();
        let (list, cursor) = (&state.parties, &state.party);
        pane::table(
            view,
            table,
            list,
            cursor,
            area,
            buf,
            |party, widths, pen| {
                let cells = self.row(resource, &waiters, *party);
                put(view, &cells, widths, party_align, pen);
                Some(())
            },
        );
    }
}

impl Waiters<'_> {
    fn row(&self, resource: &Resource, waiters: &[&AsyncOp], party: Party) -> [(String, Style); 4] {
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let lasts = |since: Option<crate::frame::Time>| {
            let lasted = since.map(|since| model.now.since(since));
            (view.known(lasted), theme.text())
        };
        let why = |task: TaskId| {
            let task = model.tasks.get(task)?;
            let why = model.why(task);
            // That it waits for this is said already.
            let is_this = |r: &Resource| r.span == resource.span;
            if matches!(why, Why::Resource { resource: Some(r), .. } if is_this(r)) {
                return None;
            }
            let reason = view.because(task, &why);
            Some((reason.whole(view.glyphs), reason.style))
        };
        let nothing = || (String::new(), theme.dim());
        match party {
            Party::Holder(by) => {
                let holders = holders(model, resource);
                let hold = holders.and_then(|h| h.list.iter().find(|hold| hold.by == by));
                let permits = hold.and_then(|hold| hold.permits);
                let many = permits.filter(|n| *n > 1 && resource.kind == ResourceKind::Semaphore);
                let many = many.map_or_else(String::new, |n| format!(" {}", fmt::count(n)));
                let about = if holders.is_some_and(|h| h.is_guess) {
                    view.glyphs.about
                } else {
                    ""
                };
                let task = match by {
                    Holder::Task(task) => Some(task),
                    Holder::Outside | Holder::Unknown => None,
                };
                [
                    (format!("{about}holds{many}"), theme.label()),
                    (
                        hold.map_or_else(String::new, |hold| view.holder(hold)),
                        theme.text(),
                    ),
                    lasts(hold.and_then(|hold| hold.since)),
                    task.and_then(why).unwrap_or_else(nothing),
                ]
            }
            Party::Others => {
                let permits = holders(model, resource).map_or(0, |h| h.other_permits);
                [
                    (format!("hold {}", fmt::count(permits)), theme.label()),
                    ("others".to_owned(), theme.text()),
                    nothing(),
                    nothing(),
                ]
            }
            Party::Receiver(task) => [
                ("reads".to_owned(), theme.label()),
                (view.label_of(task), theme.text()),
                nothing(),
                why(task).unwrap_or_else(nothing),
            ],
            Party::Waiter(task) => {
                let place = waiters.iter().position(|op| op.task == Some(task));
                let since = place.and_then(|at| waiters.get(at)?.waits_since());
                let number = place.map_or_else(String::new, |at| format!(" {}", at + 1));
                [
                    (format!("waits{number}"), theme.label()),
                    (view.label_of(task), theme.text()),
                    lasts(since),
                    why(task).unwrap_or_else(nothing),
                ]
            }
            Party::Attribute(index) => {
                let attribute = resource.attributes.get(index);
                let clean = |text: &str| (view.clean(text), theme.dim());
                let (name, value) =
                    attribute.map_or((nothing(), nothing()), |(n, v)| (clean(n), clean(v)));
                [name, value, nothing(), nothing()]
            }
        }
    }
}

/// A row's cells, in the columns that have room.
fn put<const N: usize>(
    view: View<'_>,
    cells: &[(String, Style); N],
    widths: &[usize],
    align: fn(usize) -> Align,
    pen: &mut Pen<'_>,
) {
    for (column, width) in columns::shown(widths) {
        let (words, style) = &cells[column];
        columns::put(pen, words, width, align(column), (*style, view.glyphs));
    }
}
