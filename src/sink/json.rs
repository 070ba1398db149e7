//! What a sink has put together, as JSON.

use serde::Serialize;

pub fn encode(report: &impl Serialize) -> String {
    // A report has no maps with other keys than text and no writer that can fail.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
