//! The report as JSON.

use super::Report;

pub fn encode(report: &Report) -> String {
    // A report has no maps with other keys than text and no writer that can fail.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
