//! How to draw, and in what language: by the command line, else by the configuration file and
//! the environment.

mod file;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cli::{Color, Lang, Look},
    view::{ColorLevel, Options},
};

pub use file::{Problem, Settings, read, write};

/// What the person wants of the screen.
#[derive(Clone, Debug)]
pub struct Wishes {
    pub view: Options,
    /// The mouse is used.
    pub mouse: bool,
    /// Of the lessons' pages.
    pub lang: Lang,
    /// What is wrong with the configuration file, of which nothing holds then.
    pub complaint: Option<String>,
}

impl Wishes {
    /// By `NO_COLOR`, `CLICOLOR`, `TERM`, `COLORTERM`, the locale, and the file. It is an
    /// error only if a file cannot be read that the command line names.
    pub fn new(look: &Look, env: impl Fn(&str) -> Option<String>) -> io::Result<Self> {
        let (settings, complaint) = match &look.config {
            Some(path) => settings(path, &fs::read(path)?),
            None => usual(path(&env)),
        };
        let ascii = look.ascii || settings.ascii;
        let view = Options {
            color: color(look.color, &env),
            unicode: unicode(&env) && !ascii,
            theme: look.theme.unwrap_or(settings.theme),
            keys: settings.keys,
            columns: settings.columns,
            sort: settings.sort,
            cell: settings.history,
        };
        Ok(Self {
            view,
            mouse: settings.mouse && !look.no_mouse,
            lang: language(look.lang.or(settings.lang), &env),
            complaint,
        })
    }
}

/// Where the file is looked for: none if nobody has a home here.
pub fn path(env: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = |name: &str| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("loopview").join("config.toml"))
}

fn settings(path: &Path, bytes: &[u8]) -> (Settings, Option<String>) {
    match read(bytes) {
        Ok(settings) => (settings, None),
        Err(problem) => {
            let complaint = format!("{}:{problem}; nothing of it holds", path.display());
            (Settings::default(), Some(complaint))
        }
    }
}

/// Nobody needs to have a file.
fn usual(path: Option<PathBuf>) -> (Settings, Option<String>) {
    let Some(path) = path else {
        return (Settings::default(), None);
    };
    match fs::read(&path) {
        Ok(bytes) => settings(&path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Settings::default(), None),
        Err(error) => {
            let complaint = format!("{}: {error}; nothing of it holds", path.display());
            (Settings::default(), Some(complaint))
        }
    }
}

fn color(color: Color, env: impl Fn(&str) -> Option<String>) -> ColorLevel {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    let refused = set("NO_COLOR").is_some() || set("CLICOLOR").as_deref() == Some("0");
    match color {
        Color::Never => ColorLevel::None,
        Color::Auto if refused || term == "dumb" => ColorLevel::None,
        _ if set("COLORTERM").is_some() || term.contains("256color") || term.contains("direct") => {
            ColorLevel::Ansi256
        }
        _ => ColorLevel::Ansi16,
    }
}

fn unicode(env: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    // Without any locale, as in many containers, terminals speak UTF-8 all the same.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let utf8 = locale.is_none_or(|l| {
        let l = l.to_ascii_lowercase();
        l.contains("utf-8") || l.contains("utf8")
    });
    // The font of the kernel's own console has few shapes beyond ASCII.
    let console = set("TERM").as_deref() == Some("linux");
    utf8 && !console
}

/// The language of the lessons' pages, by the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that
/// is set.
pub fn language(lang: Option<Lang>, env: impl Fn(&str) -> Option<String>) -> Lang {
    lang.unwrap_or_else(|| {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(env)
            .find(|value| !value.is_empty());
        match locale {
            Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Lang::Zh,
            _ => Lang::En,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::ThemeName;

    fn with(color: Color, env: &[(&str, &str)]) -> Options {
        let look = Look {
            color,
            ..Look::default()
        };
        wishes(&look, env).view
    }

    fn wishes(look: &Look, env: &[(&str, &str)]) -> Wishes {
        let wishes = Wishes::new(look, |name| value(env, name));
        wishes.expect("no file is named")
    }

    fn value(env: &[(&str, &str)], name: &str) -> Option<String> {
        let found = env.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_file_is_where_the_environment_says() {
        let at = |env: &[(&str, &str)]| path(|name| value(env, name));
        let home = ("HOME", "/home/ann");
        let wanted = PathBuf::from("/home/ann/.config/loopview/config.toml");
        assert_eq!(at(&[home]), Some(wanted.clone()));
        assert_eq!(at(&[home, ("XDG_CONFIG_HOME", "")]), Some(wanted));
        let elsewhere = at(&[home, ("XDG_CONFIG_HOME", "/etc/ann")]);
        assert_eq!(elsewhere, Some("/etc/ann/loopview/config.toml".into()));
        assert_eq!(at(&[]), None);
    }

    #[test]
    fn the_command_line_is_above_the_file_and_a_bad_one_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        let look = Look {
            config: Some(path.clone()),
            ..Look::default()
        };
        assert!(
            Wishes::new(&look, |_| None).is_err(),
            "a file that is not there"
        );
        fs::write(&path, "theme = \"light\"\nascii = true\nmouse = false").expect("a file");
        let by_file = wishes(&look, &[]);
        assert_eq!(by_file.view.theme, ThemeName::Light);
        assert!(!by_file.view.unicode && !by_file.mouse && by_file.complaint.is_none());
        let theme = Some(ThemeName::Mono);
        let above = wishes(
            &Look {
                theme,
                ..look.clone()
            },
            &[],
        );
        assert_eq!(above.view.theme, ThemeName::Mono);
        fs::write(&path, "theme = \"light\"\nascii = maybe").expect("a file");
        let bad = wishes(&look, &[]);
        assert_eq!(bad.view.theme, ThemeName::Dark);
        let complaint = bad.complaint.expect("a complaint");
        assert!(complaint.contains("config.toml:2:9: "), "{complaint}");
    }

    #[test]
    fn colours_follow_the_environment() {
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(with(Color::Auto, &[xterm]).color, ColorLevel::Ansi256);
        assert_eq!(
            with(Color::Auto, &[("TERM", "xterm")]).color,
            ColorLevel::Ansi16
        );
        assert_eq!(
            with(
                Color::Auto,
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")]
            )
            .color,
            ColorLevel::Ansi256
        );
        assert_eq!(
            with(Color::Auto, &[xterm, ("NO_COLOR", "1")]).color,
            ColorLevel::None
        );
        assert_eq!(
            with(Color::Auto, &[xterm, ("NO_COLOR", "")]).color,
            ColorLevel::Ansi256
        );
        assert_eq!(
            with(Color::Auto, &[xterm, ("CLICOLOR", "0")]).color,
            ColorLevel::None
        );
        assert_eq!(
            with(Color::Always, &[xterm, ("NO_COLOR", "1")]).color,
            ColorLevel::Ansi256
        );
        assert_eq!(with(Color::Never, &[xterm]).color, ColorLevel::None);
    }

    #[test]
    fn pages_are_in_the_language_asked_for_or_the_locales() {
        let with = |lang, env: &[(&str, &str)]| {
            let look = Look {
                lang,
                ..Look::default()
            };
            wishes(&look, env).lang
        };
        assert_eq!(with(None, &[]), Lang::En);
        assert_eq!(with(None, &[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(with(None, &[("LANG", "de_DE.UTF-8")]), Lang::En);
        let mixed = [("LC_MESSAGES", "zh_TW"), ("LANG", "en_US.UTF-8")];
        assert_eq!(with(None, &mixed), Lang::Zh);
        let over = [("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")];
        assert_eq!(with(None, &over), Lang::En);
        let empty = [("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", "zh_CN")];
        assert_eq!(with(None, &empty), Lang::Zh);
        assert_eq!(with(Some(Lang::En), &[("LANG", "zh_CN")]), Lang::En);
        assert_eq!(with(Some(Lang::Zh), &[]), Lang::Zh);
    }

    #[test]
    fn characters_follow_the_locale() {
        assert!(with(Color::Auto, &[]).unicode);
        assert!(with(Color::Auto, &[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(with(Color::Auto, &[("LANG", "C.utf8")]).unicode);
        assert!(!with(Color::Auto, &[("LANG", "C")]).unicode);
        assert!(!with(Color::Auto, &[("LC_ALL", "POSIX"), ("LANG", "de_DE.UTF-8")]).unicode);
    }

    #[test]
    fn the_kernels_console_has_plain_characters_and_colours() {
        let console = with(Color::Auto, &[("TERM", "linux"), ("LANG", "C.UTF-8")]);
        assert!(!console.unicode);
        assert_eq!(console.color, ColorLevel::Ansi16);
    }
}
