//! Many pictures in one, that take each other's place.
//!
//! Most of a screen stays as it is from one picture to the next. So each mark is there once,
//! however often it is seen, and marks that are seen at the same times make one group, whose
//! animation shows and hides it. What is always seen has none. Who wants no motion, or has a
//! viewer without animations, sees the last picture.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use ratatui::buffer::Buffer;

use super::{
    super::palette::Paper,
    begin,
    marks::{self, Mark},
    write_mark,
};

/// When a mark is seen: from these pictures up to those, which are excluded.
type Seen = Vec<(usize, usize)>;

#[derive(Debug)]
pub struct Film {
    paper: &'static Paper,
    marks: BTreeMap<Mark, Seen>,
    /// From when on each picture is seen.
    times: Vec<Duration>,
}

impl Film {
    pub fn new(paper: &'static Paper) -> Self {
        Self {
            paper,
            marks: BTreeMap::new(),
            times: Vec::new(),
        }
    }

    /// Adds a picture, which is seen from this time on.
    pub fn picture(&mut self, at: Duration, screen: &Buffer) {
        let number = self.times.len();
        self.times.push(at);
        for mark in marks::of(screen, self.paper) {
            let seen = self.marks.entry(mark).or_default();
            match seen.last_mut() {
                Some((_, to)) if *to == number => *to += 1,
                _ => seen.push((number, number + 1)),
            }
        }
    }

    /// So many pictures were added.
    pub fn pictures(&self) -> usize {
        self.times.len()
    }

    /// The film, whose last picture is `screen`, seen up to this time. Then it begins again.
    pub fn end(self, title: &str, screen: &Buffer, at: Duration) -> String {
        let last = self.times.len();
        // No rectangle may come to lie over a text.
        let mut groups: BTreeMap<(bool, Seen), Vec<Mark>> = BTreeMap::new();
        for (mark, seen) in self.marks {
            let is_text = mark.text.is_some();
            groups.entry((is_text, seen)).or_default().push(mark);
        }
        let always = |seen: &Seen| *seen == [(0, last)];

        let mut out = String::new();
        begin(title, screen, self.paper, &mut out);
        out.push_str("<style>");
        let seconds = at.as_secs_f64();
        let _ = writeln!(out, "g g{{animation:{seconds}s step-end infinite}}");
        let moving = groups.keys().enumerate();
        for (number, (_, seen)) in moving.filter(|(_, (_, seen))| !always(seen)) {
            write_keyframes(number, seen, &self.times, at, &mut out);
        }
        let still = "@media(prefers-reduced-motion:reduce){g g{animation:none!important}}";
        let _ = writeln!(out, "{still}</style>");
        for (number, ((_, seen), marks)) in groups.iter().enumerate() {
            let at_last = seen.last().is_some_and(|(_, to)| *to == last);
            let hidden = if at_last {
                ""
            } else {
                " visibility=\"hidden\""
            };
            if !always(seen) {
                let _ = writeln!(out, "<g style=\"animation-name:s{number}\"{hidden}>");
            }
            for mark in marks {
                write_mark(mark, self.paper, &mut out);
            }
            if !always(seen) {
                out.push_str("</g>\n");
            }
        }
        out.push_str("</g></svg>\n");
        out
    }
}

/// When a group is hidden, and when it is seen.
fn write_keyframes(
    number: usize,
    seen: &Seen,
    times: &[Duration],
    end: Duration,
    out: &mut String,
) {
    let percent = |picture: usize| {
        let at = times.get(picture).copied().unwrap_or(end);
        let part = at.as_secs_f64() / end.as_secs_f64().max(f64::MIN_POSITIVE);
        (part * 1e5).round() / 1e3
    };
    let list = |pictures: &mut dyn Iterator<Item = usize>| {
        let percents: Vec<String> = pictures.map(|at| format!("{}%", percent(at))).collect();
        percents.join(",")
    };
    let first_hidden = seen.first().is_none_or(|(from, _)| *from > 0).then_some(0);
    let hidden = seen
        .iter()
        .map(|(_, to)| *to)
        .filter(|to| *to < times.len());
    let hidden = list(&mut first_hidden.into_iter().chain(hidden));
    let shown = list(&mut seen.iter().map(|(from, _)| *from));
    let _ = writeln!(
        out,
        "@keyframes s{number}{{{hidden}{{visibility:hidden}}{shown}{{visibility:visible}}}}"
    );
}
