//! How to draw, and in what language: by the command line, else by the environment.

use crate::{
    cli::{Color, Lang},
    view::{ColorLevel, Options},
};

/// What the terminal can show and the person wants, by `NO_COLOR`, `CLICOLOR`, `TERM`,
/// `COLORTERM` and the locale.
pub fn options(color: Color, ascii: bool, env: impl Fn(&str) -> Option<String>) -> Options {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    let refused = set("NO_COLOR").is_some() || set("CLICOLOR").as_deref() == Some("0");
    let color = match color {
        Color::Never => ColorLevel::None,
        Color::Auto if refused || term == "dumb" => ColorLevel::None,
        _ if set("COLORTERM").is_some() || term.contains("256color") || term.contains("direct") => {
            ColorLevel::Ansi256
        }
        _ => ColorLevel::Ansi16,
    };
    // Without any locale, as in many containers, terminals speak UTF-8 all the same.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let utf8 = locale.is_none_or(|l| {
        let l = l.to_ascii_lowercase();
        l.contains("utf-8") || l.contains("utf8")
    });
    // The font of the kernel's own console has few shapes beyond ASCII.
    let console = term == "linux";
    Options {
        color,
        unicode: utf8 && !ascii && !console,
    }
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

    fn with(color: Color, env: &[(&str, &str)]) -> Options {
        options(color, false, |name| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
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
            language(lang, |name| {
                let found = env.iter().find(|(n, _)| *n == name);
                found.map(|(_, v)| (*v).to_owned())
            })
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
