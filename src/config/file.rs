//! The configuration file: read, checked, and written with its comments.
//!
//! All of it holds or none: one who has made a mistake is told where, and loses nothing but
//! what is written there until it is mended.

use std::{collections::BTreeMap, fmt::Write, ops::Range, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    cli::Lang,
    keymap::{Key, Keymap},
    view::{CELLS, Column, Columns, Options, Sort, SortBy, ThemeName},
};

/// What a person may write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub theme: ThemeName,
    pub ascii: bool,
    pub mouse: bool,
    /// Of the lessons' pages; else the locale's.
    pub lang: Option<Lang>,
    pub columns: Columns,
    pub sort: Sort,
    /// What a cell of a history stands for at first.
    pub history: Duration,
    pub keys: Keymap,
}

impl Default for Settings {
    fn default() -> Self {
        let usual = Options::default();
        Self {
            theme: usual.theme,
            ascii: false,
            mouse: true,
            lang: None,
            columns: usual.columns,
            sort: usual.sort,
            history: usual.cell,
            keys: usual.keys,
        }
    }
}

/// What is wrong with a file, and where; both count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {why}")]
pub struct Problem {
    pub line: usize,
    pub column: usize,
    pub why: String,
}

/// The languages, by the words for them.
const LANGS: [(&str, Lang); 2] = [("en", Lang::En), ("zh", Lang::Zh)];

/// What is wrong, and the bytes that are.
struct Wrong {
    at: Range<usize>,
    why: String,
}

type Checked<T> = Result<T, Wrong>;

fn refuse<T>(at: Range<usize>, why: impl Into<String>) -> Checked<T> {
    let why = why.into();
    Err(Wrong { at, why })
}

/// A file as TOML has it, with the places of what can be wrong.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    theme: Option<Spanned<String>>,
    ascii: Option<bool>,
    mouse: Option<bool>,
    lang: Option<Spanned<String>>,
    columns: Option<Spanned<Vec<Spanned<String>>>>,
    sort: Option<Spanned<String>>,
    history: Option<Spanned<String>>,
    keys: BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>,
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Result<Settings, Problem> {
    match std::str::from_utf8(bytes) {
        Ok(text) => read_text(text).map_err(|wrong| problem(text, wrong)),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let valid = String::from_utf8_lossy(valid);
            let at = valid.len()..valid.len();
            let why = "this is not UTF-8".to_owned();
            Err(problem(&valid, Wrong { at, why }))
        }
    }
}

fn problem(text: &str, wrong: Wrong) -> Problem {
    let before = text.get(..wrong.at.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        why: wrong.why,
    }
}

fn read_text(text: &str) -> Checked<Settings> {
    let written: Written = toml::from_str(text).map_err(|error| Wrong {
        at: error.span().unwrap_or(0..0),
        why: error.message().replace('\n', " "),
    })?;
    let mut settings = Settings::default();
    if let Some(theme) = &written.theme {
        settings.theme = one_of(theme, "theme", ThemeName::ALL.map(|t| (t.word(), t)))?;
    }
    settings.ascii = written.ascii.unwrap_or(settings.ascii);
    settings.mouse = written.mouse.unwrap_or(settings.mouse);
    if let Some(lang) = &written.lang {
        settings.lang = Some(one_of(lang, "language", LANGS)?);
    }
    if let Some(columns) = &written.columns {
        settings.columns = read_columns(columns)?;
    }
    if let Some(sort) = &written.sort {
        settings.sort = read_sort(sort)?;
    }
    if let Some(history) = &written.history {
        settings.history = read_history(history)?;
    }
    rebind(&mut settings.keys, &written.keys)?;
    Ok(settings)
}

/// The value of this name.
fn one_of<T, const N: usize>(
    word: &Spanned<String>,
    what: &str,
    all: [(&'static str, T); N],
) -> Checked<T> {
    let names = all.each_ref().map(|(name, _)| *name).join(", ");
    let mut all = all.into_iter();
    let found = all.find(|(name, _)| name == word.get_ref());
    match found {
        Some((_, value)) => Ok(value),
        None => refuse(
            word.span(),
            format!(
                "no {what} is called {:?}; there are {names}",
                word.get_ref()
            ),
        ),
    }
}

fn read_columns(written: &Spanned<Vec<Spanned<String>>>) -> Checked<Columns> {
    let mut columns = Vec::new();
    for word in written.get_ref() {
        let column = one_of(word, "column", Column::ALL.map(|c| (c.word(), c)))?;
        if columns.contains(&column) {
            let why = format!("the column {} is there twice", column.word());
            return refuse(word.span(), why);
        }
        columns.push(column);
    }
    match Columns::new(&columns) {
        Some(columns) => Ok(columns),
        None => refuse(written.span(), "one column at least is needed"),
    }
}

fn read_sort(written: &Spanned<String>) -> Checked<Sort> {
    let word = written.get_ref();
    let (reversed, name) = match word.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, word.as_str()),
    };
    let name = Spanned::new(written.span(), name.to_owned());
    let by = one_of(&name, "order", SortBy::ALL.map(|by| (by.word(), by)))?;
    Ok(Sort { by, reversed })
}

fn read_history(written: &Spanned<String>) -> Checked<Duration> {
    let cell = humantime::parse_duration(written.get_ref()).ok();
    if let Some(cell) = cell.filter(|cell| CELLS.contains(cell)) {
        return Ok(cell);
    }
    let cells = CELLS.map(|cell| humantime::format_duration(cell).to_string());
    let why = format!("a cell of a history stands for one of {}", cells.join(", "));
    refuse(written.span(), why)
}

type Bindings = BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>;

fn rebind(keymap: &mut Keymap, written: &Bindings) -> Checked<()> {
    let mut places: Vec<(&str, Key, Range<usize>)> = Vec::new();
    for (name, words) in written {
        let mut keys = Vec::new();
        for word in words.get_ref() {
            let key: Key = match word.get_ref().parse() {
                Ok(key) => key,
                Err(error) => return refuse(word.span(), format!("{error}")),
            };
            if keys.contains(&key) {
                return refuse(word.span(), format!("the key {key} is there twice"));
            }
            keys.push(key);
            places.push((name.get_ref(), key, word.span()));
        }
        if name.get_ref() == "quit" && keys.is_empty() {
            return refuse(words.span(), "without a key to quit there is no way out");
        }
        if !keymap.rebind(name.get_ref(), keys) {
            return refuse(name.span(), unknown_action(name.get_ref(), keymap));
        }
    }
    for (name, key, at) in &places {
        let line = keymap.all().find(|line| line.binding.name == *name);
        if key.text().is_some() && line.is_some_and(|line| line.binding.on.is_typing()) {
            let why = format!("where {name} means something, {key} is text that is typed");
            return refuse(at.clone(), why);
        }
    }
    let Some(clash) = keymap.clash() else {
        return Ok(());
    };
    let of_clash =
        |(name, key, _): &&(&str, Key, _)| *key == clash.key && clash.names.contains(name);
    // What the file does not name is the table's, where no key means two things.
    let (name, at) = match places.iter().rfind(of_clash) {
        Some((name, _, at)) => (*name, at.clone()),
        None => (clash.names[0], 0..0),
    };
    let other = clash.names.into_iter().find(|other| *other != name);
    let other = other.unwrap_or(name);
    refuse(
        at,
        format!(
            "the key {} is that of {other} as well, in the same place",
            clash.key
        ),
    )
}

fn unknown_action(name: &str, keymap: &Keymap) -> String {
    /// How alike two names have to be for one to stand for the other.
    const ALIKE: f64 = 0.7;
    let alike = keymap
        .all()
        .map(|line| line.binding.name)
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match alike {
        Some((_, nearest)) => format!("no action is called {name:?}; the nearest is {nearest}"),
        None => format!("no action is called {name:?}; `loopview config` names them all"),
    }
}

/// A file that says the same, with comments.
pub fn write(settings: &Settings) -> String {
    let mut text = String::new();
    let mut setting = |comment: &str, name: &str, value: String| {
        // A string takes all.
        let _ = write!(text, "# {comment}\n{name} = {value}\n\n");
    };
    let themes = ThemeName::ALL.map(|t| format!("{} ({})", t.word(), t.summary()));
    let themes = format!("One of {}.", themes.join("; "));
    setting(&themes, "theme", quoted(settings.theme.word()));
    let ascii = "Draw with ASCII characters only.";
    setting(ascii, "ascii", settings.ascii.to_string());
    let mouse = "Use the mouse; terminals then select text while Shift is held.";
    setting(mouse, "mouse", settings.mouse.to_string());
    let lang = LANGS
        .into_iter()
        .find(|(_, lang)| Some(*lang) == settings.lang);
    setting(
        "The language of the lessons' pages: en or zh; without it, the locale's.",
        if lang.is_some() { "lang" } else { "# lang" },
        quoted(lang.map_or("en", |(word, _)| word)),
    );
    let columns = settings.columns.shown().map(|column| quoted(column.word()));
    let all = Column::ALL.map(Column::word).join(", ");
    setting(
        &format!("The columns of the task table, in their order, out of {all}."),
        "columns",
        list(columns),
    );
    let minus = if settings.sort.reversed { "-" } else { "" };
    setting(
        "By which column the tasks are sorted, or \"spawn\"; with a minus, the other way round.",
        "sort",
        quoted(&format!("{minus}{}", settings.sort.by.word())),
    );
    let cells = CELLS.map(|cell| humantime::format_duration(cell).to_string());
    setting(
        &format!("What a cell of a history stands for: {}.", cells.join(", ")),
        "history",
        quoted(&humantime::format_duration(settings.history).to_string()),
    );
    text.push_str("# The keys of each action. One may be left without any.\n[keys]\n");
    for line in settings.keys.all() {
        let keys = line.keys.iter().map(|key| quoted(&key.to_string()));
        let _ = write!(
            text,
            "# {}\n{} = {}\n",
            line.binding.help,
            line.binding.name,
            list(keys)
        );
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> String {
        read(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn the_default_is_read_as_it_is_written() {
        let written = write(&Settings::default());
        assert_eq!(
            read(written.as_bytes()),
            Ok(Settings::default()),
            "{written}"
        );
        assert_eq!(read(b""), Ok(Settings::default()));
    }

    #[test]
    fn what_is_written_down_holds_and_the_rest_is_as_usual() {
        let text = "theme = \"light\"\nmouse = false\nlang = \"zh\"\ncolumns = [\"busy\", \"name\"]\n\
                    sort = \"-busy\"\nhistory = \"1s\"\n\
                    [keys]\nzoom = [\"Z\", \"Ctrl-Z\"]\nrun-again = []\n";
        let settings = read(text.as_bytes()).expect(text);
        assert_eq!(settings.theme, ThemeName::Light);
        assert!(!settings.mouse && !settings.ascii);
        assert_eq!(settings.lang, Some(Lang::Zh));
        let columns: Vec<_> = settings.columns.shown().collect();
        assert_eq!(columns, [Column::Busy, Column::Name]);
        assert!(settings.sort.by == SortBy::Busy && settings.sort.reversed);
        assert_eq!(settings.history, Duration::from_secs(1));
        let written = write(&settings);
        assert!(written.contains("zoom = [\"Z\", \"Ctrl-Z\"]"), "{written}");
        assert_eq!(read(written.as_bytes()), Ok(settings));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            (
                "theme = \"drak\"",
                "1:9: no theme is called \"drak\"; there are dark, light, color-blind, mono",
            ),
            (
                "\nascii = 3",
                "2:9: invalid type: integer `3`, expected a boolean",
            ),
            ("columns = []", "1:11: one column at least is needed"),
            (
                "columns = [\"name\", \"name\"]",
                "1:20: the column name is there twice",
            ),
            (
                "history = \"3s\"",
                "1:11: a cell of a history stands for one of 50ms, 100ms, 200ms, 500ms, 1s, 2s",
            ),
            (
                "[keys]\nzomo = [\"x\"]",
                "2:1: no action is called \"zomo\"; the nearest is zoom",
            ),
            (
                "[keys]\nzoom = [\"x\", \"x\"]",
                "2:14: the key x is there twice",
            ),
            (
                "[keys]\nzoom = [\"q\"]",
                "2:9: the key q is that of quit as well, in the same place",
            ),
            (
                "[keys]\nquit = []",
                "2:8: without a key to quit there is no way out",
            ),
            (
                "[keys]\nkeep-filter = [\"k\"]",
                "2:16: where keep-filter means something, k is text that is typed",
            ),
        ] {
            assert_eq!(refusal(text), told);
        }
        let told = refusal("[keys]\nzoom = [\"Hyper-x\"]");
        assert!(
            told.starts_with("2:9: no key is called \"Hyper-x\""),
            "{told}"
        );
        let told = refusal("colour = 1");
        assert!(told.starts_with("1:1: unknown field `colour`"), "{told}");
        let told = refusal("theme = ");
        assert!(told.starts_with("1:") && !told.contains('\n'), "{told}");
        let told = read(b"# \xc3\xa4\n# \xff").expect_err("no text");
        assert_eq!(told.to_string(), "2:3: this is not UTF-8");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused_where_it_is_damaged(
            at in any::<prop::sample::Index>(),
            put in "\\PC{0,3}",
            cut in 0_usize..20,
        ) {
            let mut chars: Vec<char> = write(&Settings::default()).chars().collect();
            let at = at.index(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, put.chars());
            let text: String = chars.into_iter().collect();
            if let Err(problem) = read(text.as_bytes()) {
                prop_assert!(problem.line <= text.lines().count() + 1, "{}", problem);
                prop_assert!(!problem.why.contains('\n'));
            }
        }
    }
}
