//! What a check found: `loopview-check/1`, and the same for people.

use std::{cmp::Reverse, collections::BTreeSet, fmt::Write};

use serde::Serialize;

use super::{
    report::{Figure, LintRow, Outcome, Report},
    text,
};
use crate::model::lint::Kind;

pub const FORMAT: &str = "loopview-check/1";

#[derive(Debug, Serialize)]
pub struct Check {
    pub format: &'static str,
    pub target: String,
    pub outcome: Outcome,
    pub elapsed_ms: f64,
    /// No denied lint found anything.
    pub holds: bool,
    /// Nothing is missing in what was seen, so that what was not found was not there.
    pub vouches: bool,
    /// The lints that were denied.
    pub denied: Vec<&'static str>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
pub struct Finding {
    pub denied: bool,
    #[serde(flatten)]
    pub lint: LintRow,
}

impl Check {
    pub fn new(report: Report, denied: &BTreeSet<Kind>) -> Self {
        let denied: Vec<&str> = denied.iter().map(|kind| kind.name()).collect();
        let lost = &report.lost;
        let is_whole = lost.events == 0 && lost.gaps == 0 && lost.tasks == 0 && lost.untaken == 0;
        let lost_data = Kind::LostData.name();
        let vouches = is_whole && report.lints.iter().all(|row| row.lint != lost_data);
        let findings = report.lints.into_iter().map(|lint| Finding {
            denied: denied.contains(&lint.lint),
            lint,
        });
        let findings: Vec<Finding> = findings.collect();
        Self {
            format: FORMAT,
            target: report.target,
            outcome: report.outcome,
            elapsed_ms: report.elapsed_ms,
            holds: findings.iter().all(|finding| !finding.denied),
            vouches,
            denied,
            findings,
        }
    }
}

/// A line for each finding, the denied ones first and of those the worst, and a line that sums
/// them up.
pub fn text(check: &Check) -> String {
    let mut lines = String::new();
    let mut findings: Vec<&Finding> = check.findings.iter().collect();
    findings.sort_by_key(|f| Reverse((f.denied, f.lint.kind.severity())));
    for finding in findings {
        let _ = writeln!(lines, "{}", line(finding));
    }
    if !check.vouches {
        lines.push_str("note: not everything was seen, so more may be wrong than was found\n");
    }
    let denied = check.findings.iter().filter(|f| f.denied).count();
    let _ = writeln!(
        lines,
        "{}: {} ({}), {denied} denied, {} other findings",
        text::line(&check.target),
        if check.holds {
            "the check holds"
        } else {
            "the check does not hold"
        },
        check.outcome.as_str(),
        check.findings.len() - denied
    );
    lines
}

/// `denied blocked-loop: cpu blocked … at main.rs:3 (3 times, lasted_ms 300, late 2)`.
fn line(finding: &Finding) -> String {
    let row = &finding.lint;
    let word = if finding.denied { "denied" } else { "found" };
    let place = row.location.as_deref();
    let place = place.map_or(String::new(), |at| format!(" at {at}"));
    let times = (row.count > 1).then(|| format!("{} times", row.count));
    let figures = row.evidence.iter().map(|(key, figure)| match figure {
        Figure::Ms(ms) => format!("{key} {ms}"),
        Figure::Count(count) => format!("{key} {count}"),
        Figure::Text(text) => format!("{key} {text:?}"),
        Figure::Victims(victims) => {
            let victims = victims.iter().map(|v| format!("{}:{}", v.task, v.late_ms));
            format!("{key} {}", victims.collect::<Vec<_>>().join(" "))
        }
    });
    let facts: Vec<String> = times.into_iter().chain(figures).collect();
    let line = format!(
        "{word} {}: {}{place} ({})",
        row.lint,
        row.message,
        facts.join(", ")
    );
    text::line(&line)
}
