//! `loopview lints`: what is looked for, and what to do about it.

use std::{fmt::Write, process::ExitCode};

use crate::{
    error::Error,
    model::lint::{Kind, Thresholds},
};

pub fn execute(name: Option<&str>, all: bool) -> Result<ExitCode, Error> {
    super::print(&match name {
        Some(name) => explanation(find(name)?),
        None if all => page(),
        None => list(),
    })
}

/// The lint of this name, or the error that says what may have been meant.
pub(super) fn find(name: &str) -> Result<Kind, Error> {
    Kind::named(name).ok_or_else(|| {
        let names = Kind::ALL.iter().map(|kind| kind.name());
        let nearest = super::nearest(name, names);
        let nearest = nearest.map_or(String::new(), |n| format!("; the nearest is {n}"));
        wrong(format!("no lint is called {name:?}{nearest}"))
    })
}

/// The thresholds, with what the command line says of them.
pub(super) fn thresholds(changes: &[String]) -> Result<Thresholds, Error> {
    let mut thresholds = Thresholds::default();
    for change in changes {
        let (name, value) = change
            .split_once('=')
            .ok_or_else(|| wrong(format!("{change:?} is not LINT=VALUE")))?;
        thresholds.set(find(name)?.name(), value).map_err(wrong)?;
    }
    Ok(thresholds)
}

fn wrong(problem: String) -> Error {
    Error::Usage {
        problem,
        command: "loopview lints".to_owned(),
    }
}

fn list() -> String {
    let names = Kind::ALL.iter().map(|kind| kind.name().len());
    let width = names.max().unwrap_or_default();
    let mut text = String::from("What is looked for. `loopview lints NAME` explains one.\n\n");
    for kind in Kind::ALL {
        let (name, severity) = (kind.name(), kind.severity().as_str());
        let summary = kind.lint().summary();
        let _ = writeln!(text, "  {name:width$}  {severity:7}  {summary}");
    }
    text
}

/// One lint, as a section of Markdown.
fn explanation(kind: Kind) -> String {
    format!(
        "## {}\n\n{}: {}.\n\n{}",
        kind.name(),
        kind.severity().as_str(),
        kind.lint().summary(),
        kind.explanation(&Thresholds::default())
    )
}

/// All of them: `docs/lints.md`.
fn page() -> String {
    let mut text = String::from(
        "# Lints\n\nWhat loopview looks for while it watches a program. This page is what \
         `loopview lints --all` prints.\n",
    );
    for kind in Kind::ALL {
        text.push('\n');
        text.push_str(&explanation(*kind));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_lints_say() {
        assert_eq!(
            page(),
            include_str!("../../docs/lints.md"),
            "loopview lints --all > docs/lints.md makes it anew"
        );
    }

    #[test]
    fn every_lesson_that_is_named_shows_its_lint() {
        for kind in Kind::ALL {
            if let Ok(lesson) = kind.lint().explain().lesson {
                let page = loopview_workloads::find(lesson).expect(lesson).page_en;
                assert!(page.contains(&format!("\n- `{}`", kind.name())), "{lesson}");
            }
        }
    }

    #[test]
    fn a_threshold_is_set_by_its_lint() {
        let set = thresholds(&["starved=50ms".to_owned(), "self-wakes=90".to_owned()]);
        let set = set.expect("both are sound");
        assert_eq!(set.starved.as_millis(), 50);
        assert_eq!(set.self_wakes, 90);
        for (change, problem) in [
            ("starved", "\"starved\" is not LINT=VALUE"),
            ("starved=soon", "\"soon\" is no time such as 10ms"),
            (
                "self-wakes=10ms",
                "\"10ms\" is no number (percent of its wakes)",
            ),
            (
                "starve=1ms",
                "no lint is called \"starve\"; the nearest is starved",
            ),
            ("panicked-task=1", "panicked-task has no threshold"),
        ] {
            let error = thresholds(&[change.to_owned()]).expect_err(change);
            let told = format!("{problem}; see `loopview lints --help`");
            assert_eq!(error.to_string(), told);
        }
    }
}
