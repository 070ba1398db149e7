//! Every lesson has a page to read beside the screen, in two languages, of one form:
//!
//! ```text
//! # NAME: title        an idea in a few lines
//! ## Look for          a list
//! ## In asyncio and here   python, then rust
//! ## The common mistake
//! ## Try               a command line, and what it shows
//! ## Lints             - `name`: why    or "None."
//! ```

use loopview_workloads::{Workload, all};

/// The sections after the idea, the words for no lint, and what follows a name.
struct Form {
    sections: [&'static str; 5],
    none: &'static str,
    colon: &'static str,
}

const ENGLISH: Form = Form {
    sections: [
        "Look for",
        "In asyncio and here",
        "The common mistake",
        "Try",
        "Lints",
    ],
    none: "None.",
    colon: ": ",
};

const CHINESE: Form = Form {
    sections: [
        "看什么",
        "在 asyncio 和这里",
        "常见错误",
        "试一试",
        "提示（lint）",
    ],
    none: "没有。",
    colon: "：",
};

/// A page is to be read beside the screen, not scrolled for long.
const MOST_LINES: usize = 64;

/// A page taken apart: each section's heading and its text.
fn sections(page: &'static str) -> Vec<(&'static str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        in_code ^= line.starts_with("```");
        match line.trim_start_matches('#').strip_prefix(' ') {
            Some(heading) if line.starts_with('#') && !in_code => {
                sections.push((heading, String::new()));
            }
            _ => {
                let (_, text) = sections.last_mut().expect("a page begins with its title");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    sections
}

/// The blocks of code in `text`, each with its language.
fn code(text: &str) -> Vec<(&str, &str)> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks
        .map(|block| block.split_once('\n').expect("a language and then code"))
        .collect()
}

/// The names of the lints in the last section; none if it says so.
fn lints<'a>(text: &'a str, form: &Form) -> Vec<&'a str> {
    if text.trim() == form.none {
        return Vec::new();
    }
    let lines = text.trim().lines().filter(|line| !line.starts_with("  "));
    lines
        .map(|line| {
            let name = line.strip_prefix("- `").expect("a list of names");
            let (name, why) = name.split_once('`').expect("a name in backquotes");
            assert!(why.starts_with(form.colon), "{line}");
            name
        })
        .collect()
}

fn check_form(workload: &Workload, page: &'static str, form: &Form) {
    let name = workload.name;
    assert!(page.lines().count() <= MOST_LINES, "{name} is too long");
    let sections = sections(page);
    let headings: Vec<&str> = sections.iter().map(|(heading, _)| *heading).collect();
    assert!(
        headings[0].starts_with(&format!("{name}{}", form.colon)),
        "{}",
        headings[0]
    );
    assert_eq!(headings[1..], form.sections, "{name}");
    for (heading, text) in &sections {
        assert!(!text.trim().is_empty(), "{name}: {heading} is empty");
    }
    let look = sections[1].1.trim();
    assert!(look.starts_with("- "), "{name}: what to look for is a list");
    let languages = code(&sections[2].1);
    assert_eq!(
        languages.iter().map(|it| it.0).collect::<Vec<_>>(),
        ["python", "rust"],
        "{name}"
    );
    let commands = code(&sections[4].1);
    assert_eq!(commands.len(), 1, "{name}: one thing to try");
    let (language, command) = commands[0];
    assert!(
        language == "sh" && command.starts_with("loopview run "),
        "{name}: {command}"
    );
    // Reads the form as well.
    lints(&sections[5].1, form);
}

#[test]
fn every_page_has_its_sections_in_order() {
    for workload in all() {
        check_form(workload, workload.page_en, &ENGLISH);
        check_form(workload, workload.page_zh, &CHINESE);
    }
}

#[test]
fn both_languages_show_the_same_code_and_name_the_same_lints() {
    for workload in all() {
        let name = workload.name;
        assert_eq!(code(workload.page_en), code(workload.page_zh), "{name}");
        let (english, chinese) = (sections(workload.page_en), sections(workload.page_zh));
        assert_eq!(
            lints(&english[5].1, &ENGLISH),
            lints(&chinese[5].1, &CHINESE),
            "{name}"
        );
    }
}
