//! One line for what matters most now.
//!
//! ```text
//!  LOOP BLOCKED 1.23 s by cpu at cpu.rs:42 · late: ticker 900 ms, A 300 ms, +2
//! ```
//!
//! Where that has no room, the last of those who are late are counted, then the place is left
//! out. It is loud while the loop is blocked, plain when the target comes or goes, and quiet
//! for the last thing that was wrong. What a key came to is said there until the next key.
//! Its line is kept free for it, so that nothing moves
//! when it comes and goes.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View, fmt, header,
    moment::{Moment, Past},
    pen::Pen,
    text,
};
use crate::{
    frame::{Exit, TargetKind},
    model::{
        Blocked, Finding, Phase, Trying,
        lint::{self, Severity},
    },
};

pub struct Message<'a>(pub(super) View<'a>);

impl Widget for &Message<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let room = usize::from(area.width).saturating_sub(1);
        let Some((words, style, loud)) = self.words(room) else {
            return;
        };
        let mut pen = Pen::new(area, 0, buf);
        pen.put(" ", style);
        let words = if loud {
            text::pad(&words, pen.room(), self.0.glyphs)
        } else {
            text::fit(&words, pen.room(), self.0.glyphs)
        };
        pen.put(&words, style);
    }
}

/// That a connection is tried again, in seconds as they are counted down.
fn tried(trying: Trying) -> String {
    let lost = fmt::seconds(trying.lost);
    let when = header::when(trying.again);
    format!("Connection lost {lost} ago, trying again {when}")
}

impl Message<'_> {
    fn words(&self, room: usize) -> Option<(String, Style, bool)> {
        let view = self.0;
        let theme = view.theme;
        // Whether it still is, nobody tells once the connection is lost.
        let is_lost = matches!(view.model.phase, Phase::Disconnected { .. });
        if let Some(blocked) = view.model.blocked().filter(|_| !is_lost) {
            return Some((self.blocked(&blocked, room), theme.alarm(), true));
        }
        if let Some(notice) = &view.state.notice {
            let words = text::fit(&notice.words, room, view.glyphs);
            return Some(if notice.bad {
                (words, theme.notice(), true)
            } else {
                (words, theme.focus(), false)
            });
        }
        match &view.model.phase {
            Phase::Connecting {
                waited: Some(waited),
            } => {
                let words = format!("No answer for {}", view.duration(*waited));
                Some((words, theme.notice(), true))
            }
            Phase::Disconnected {
                reason,
                trying: Some(trying),
            } => {
                let words = format!("{}: {}", tried(*trying), view.sentence(reason));
                Some((words, theme.alarm(), true))
            }
            Phase::Disconnected {
                reason,
                trying: None,
            } => {
                let reason = view.sentence(reason);
                let again = match (view.state.moment, view.model.target.kind) {
                    (Moment::Live, TargetKind::Attached) => "; R connects again",
                    _ => "",
                };
                let words = format!("Connection lost: {reason}{again}");
                Some((words, theme.alarm(), true))
            }
            Phase::Ended(exit) => Some(self.ended(*exit)),
            Phase::Connecting { waited: None } | Phase::Live => {
                let worth = |f: &&Finding| f.kind.severity() > Severity::Note;
                let last = view.model.lints.iter().rfind(worth)?;
                Some((self.lint(last, room), theme.warning(), false))
            }
        }
    }

    /// As much as there is room for; who blocks, and for how long, in any case.
    fn blocked(&self, blocked: &Blocked, room: usize) -> String {
        /// What may be left out for want of room: whether there is the place, and how many
        /// of those who are late are named.
        const FORMS: [(bool, usize); 6] = [
            (true, 3),
            (true, 2),
            (true, 1),
            (false, 1),
            (true, 0),
            (false, 0),
        ];
        let view = self.0;
        // Two such names and their times fit, down to 80 columns.
        let name = (room / 6).max(14);
        let task = view.model.tasks.get(blocked.task);
        let workers = view.model.runtimes.worker_count(&view.model.tasks);
        let what = if workers > 1 { "WORKER" } else { "LOOP" };
        let lasted = view.duration(blocked.lasted);
        let by = text::fit(&view.label_of(blocked.task), name, view.glyphs);
        let forms = FORMS.map(|(place, named)| {
            let at = view
                .location(task.and_then(|t| t.location.as_ref()))
                .filter(|_| place)
                .map_or_else(String::new, |at| format!(" at {at}"));
            let late = view
                .late(&blocked.victims, named, name)
                .map_or_else(String::new, |late| format!(" {} {late}", view.glyphs.dot));
            format!("{what} BLOCKED {lasted} by {by}{at}{late}")
        });
        let [.., shortest] = &forms;
        let fits = forms.iter().find(|form| text::width(form) <= room);
        fits.unwrap_or(shortest).clone()
    }

    fn ended(&self, exit: Exit) -> (String, Style, bool) {
        let view = self.0;
        let again = match (view.state.moment, view.model.target.kind) {
            (Moment::Past(Past { recorded: true, .. }), _) => "R replays it, ",
            (_, TargetKind::Attached) => "",
            _ => "R runs it again, ",
        };
        let exit_words = header::exit_words(exit);
        let words = format!("The program has ended ({exit_words}): {again}q quits.");
        let style = if exit == Exit::Code(0) {
            view.theme.good()
        } else {
            view.theme.bad()
        };
        (words, style, false)
    }

    /// What happened is cut before the place is.
    fn lint(&self, lint: &Finding, room: usize) -> String {
        let view = self.0;
        let who = lint
            .task
            .map_or_else(String::new, |id| format!("{} ", view.label_of(id)));
        let ago = view.duration(view.model.now.since(lint.at + lint.lasted));
        let when = match lint.kind {
            lint::Kind::LostData => String::new(),
            _ => format!("{ago} ago: "),
        };
        let at = view
            .location(lint.location.as_ref())
            .map_or_else(String::new, |at| format!(" {} {at}", view.glyphs.dot));
        let before = format!("{} {when}{who}", view.glyphs.warning);
        // The place stays while half of the line is left for what happened.
        let left = room.saturating_sub(text::width(&before));
        let beside = left.saturating_sub(text::width(&at));
        let most = if beside < room / 2 { left } else { beside };
        let message = text::fit(&lint.message, most, view.glyphs);
        format!("{before}{message}{at}")
    }
}
