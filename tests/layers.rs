//! Who may use whom: the layers of `ARCHITECTURE.md`, by what each file names.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A layer, and the layers that its files may name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("frame", &[]),
    ("model", &["frame"]),
    ("decode", &[]),
    ("recording", &["decode", "frame", "model"]),
    ("target", &["decode", "frame", "error"]),
    ("filter", &["model"]),
    ("keymap", &["model", "view"]),
    ("view", &["frame", "model", "filter", "keymap"]),
    // The text report has the words and figures of the screen; others draw all of it.
    ("sink", &["frame", "model", "view"]),
    ("script", &[]),
    ("travel", &["frame", "model", "recording", "view"]),
    ("stage", &["model", "travel", "view"]),
    (
        "player",
        &["recording", "script", "stage", "travel", "view"],
    ),
    ("cli", &["recording", "target", "view"]),
    ("config", &["cli", "keymap", "view"]),
    ("error", &["recording", "script", "target"]),
    ("term", &[]),
];

/// Crates that only some layers may know.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["view", "term", "player", "sink"]),
    (
        "crossterm",
        &[
            "keymap", "view", "app", "cmd", "term", "script", "stage", "player",
        ],
    ),
    ("tokio", &["target", "app", "cmd"]),
    ("tonic", &["target"]),
    ("hyper", &["cmd"]),
    ("prometheus", &["sink"]),
    ("loopview_workloads", &["cmd", "error"]),
    ("clap", &["cli", "cmd"]),
    ("regex", &["filter"]),
    ("toml", &["config"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its layer: the first part of its path in `src`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&src, &mut paths);
    let layer = |path: &Path| {
        let inside = path.strip_prefix(&src).expect("below src");
        let first = inside.components().next().expect("a name");
        first
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned()
    };
    paths
        .into_iter()
        .map(|path| {
            (
                layer(&path),
                path.clone(),
                fs::read_to_string(&path).expect("text"),
            )
        })
        .collect()
}

/// What a file names after a prefix such as `crate::`, in code. A `use crate::{a::…, b}`
/// names `a` and `b`.
fn named(text: &str, prefix: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.push(head(rest)),
        }
    }
    names
}

fn head(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first name of each item of a braced list, whose opening brace has been read.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => {}
        }
        item.push(c);
    }
    items.push(item);
    items
        .iter()
        .map(|i| head(i.trim_start_matches([',', ' ', '\n'])))
        .filter(|i| !i.is_empty())
        .collect()
}

#[test]
fn a_layer_uses_only_those_below_it() {
    for (layer, path, text) in sources() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == layer) else {
            continue;
        };
        for name in named(&text, "crate::") {
            let fine = name == layer || allowed.contains(&name.as_str());
            assert!(fine, "{} uses {name}", path.display());
        }
    }
}

#[test]
fn a_crate_is_known_only_where_it_belongs() {
    for (layer, path, text) in sources() {
        for (name, layers) in CRATES {
            let used = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| names_crate(line, name));
            let fine = !used || layers.contains(&layer.as_str());
            assert!(fine, "{} uses the crate {name}", path.display());
        }
    }
}

fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn the_readers_of_code_read_what_they_should() {
    let text =
        "use crate::{\n    frame::{Event, Time},\n    model,\n};\nfn f(x: crate::view::Y) {}\n";
    assert_eq!(named(text, "crate::"), ["frame", "model", "view"]);
    assert!(names_crate("use tokio::sync", "tokio"));
    assert!(!names_crate("use my_tokio::sync", "tokio"));
    assert!(!names_crate("console_api::tokio::x", "tokio"));
}
