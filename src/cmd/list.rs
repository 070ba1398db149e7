//! `loopview list`

use std::{fmt::Write, process::ExitCode};

use serde::Serialize;

use crate::{cli::Format, error::Error};

#[derive(Serialize)]
struct Row {
    name: &'static str,
    group: &'static str,
    summary: &'static str,
    shows: &'static str,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    key: &'static str,
    default: String,
    help: &'static str,
}

pub fn execute(format: Format) -> Result<ExitCode, Error> {
    super::print(&match format {
        Format::Text => text(),
        Format::Json => json(),
    })
}

fn text() -> String {
    let all = loopview_workloads::all();
    let width = all.iter().map(|w| w.name.len()).max().unwrap_or_default();
    let mut text =
        String::from("The workloads, lessons in this order. Run one with `loopview run NAME`.\n");
    let mut group = "";
    for workload in all {
        if workload.group != group {
            group = workload.group;
            let _ = writeln!(text, "\n{group}");
        }
        let _ = writeln!(text, "  {:width$}  {}", workload.name, workload.summary);
        for setting in workload.settings {
            let _ = writeln!(
                text,
                "  {:width$}    --set {}={}  {}",
                "", setting.key, setting.default, setting.help
            );
        }
    }
    text
}

fn json() -> String {
    let rows: Vec<Row> = loopview_workloads::all()
        .iter()
        .map(|w| Row {
            name: w.name,
            group: w.group,
            summary: w.summary,
            shows: w.shows,
            settings: w
                .settings
                .iter()
                .map(|s| Setting {
                    key: s.key,
                    default: s.default.to_string(),
                    help: s.help,
                })
                .collect(),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&rows).unwrap_or_default();
    text.push('\n');
    text
}
