//! Reads the command line. What is wrong with it is told in one line, as every other error,
//! and not in clap's paragraphs.

use std::ffi::{OsStr, OsString};

use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::{cli::Cli, error::Error};

/// Prints what was asked for, such as the help, and ends the process then.
pub fn parse(words: &[OsString]) -> Result<Cli, Error> {
    Cli::try_parse_from(words).map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        unseparated_program(words, error.kind()).unwrap_or_else(|| Error::Usage {
            problem: first_paragraph(&error.to_string()),
            command: command(words),
        })
    })
}

/// What clap says in its first paragraph, which may be a list, in one line.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.is_empty());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// The command whose help says more: the subcommand, as far as one is named.
fn command(words: &[OsString]) -> String {
    let cli = Cli::command();
    let named = words.iter().skip(1).find_map(|w| cli.find_subcommand(w));
    named.map_or_else(
        || cli.get_name().to_owned(),
        |sub| format!("{} {}", cli.get_name(), sub.get_name()),
    )
}

/// `loopview run ./server --port 80`: what follows is the program's, had it only been told
/// apart from what is ours.
fn unseparated_program(words: &[OsString], problem: ErrorKind) -> Option<Error> {
    if problem != ErrorKind::UnknownArgument {
        return None;
    }
    let parsed = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(words)
        .ok()?;
    let name = parsed
        .subcommand_matches("run")?
        .get_one::<String>("name")?;
    if loopview_workloads::find(name).is_some() {
        return None;
    }
    let at = words.iter().position(|word| word == OsStr::new(name))?;
    let (ours, program) = words.split_at(at);
    let ours = ours.iter().skip(1).map(OsString::as_os_str);
    let program = program.iter().map(OsString::as_os_str);
    let words = ours.chain([OsStr::new("--")]).chain(program);
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    Some(Error::NotAWorkload {
        name: name.clone(),
        command: format!("loopview {}", words.join(" ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&words).expect_err(line).to_string()
    }

    #[test]
    fn a_wrong_command_line_is_told_in_one_line() {
        for (line, refused) in [
            (
                "loopview attach foo",
                "invalid value 'foo' for '[URL]': expected http://HOST:PORT or unix:/PATH; \
                 see `loopview attach --help`",
            ),
            (
                "loopview --color never list --format xml",
                "invalid value 'xml' for '--format <FORMAT>' [possible values: text, json]; \
                 see `loopview list --help`",
            ),
            (
                "loopview completions",
                "the following required arguments were not provided: <SHELL>; \
                 see `loopview completions --help`",
            ),
            (
                "loopview run --scale -1 gather",
                "invalid value '-1' for '--scale <SCALE>': expected a number from 0 to 1000; \
                 see `loopview run --help`",
            ),
            (
                "loopview run gather --frob",
                "unexpected argument '--frob' found; see `loopview run --help`",
            ),
            (
                "loopview frob",
                "unrecognized subcommand 'frob'; see `loopview --help`",
            ),
        ] {
            assert_eq!(refusal(line), refused);
        }
    }

    #[test]
    fn a_program_is_told_apart_from_what_is_ours() {
        for (line, command) in [
            ("loopview run ./p x", "loopview run -- ./p x"),
            ("loopview run p --port 80", "loopview run -- p --port 80"),
            (
                "loopview run --for 5s target/p -x",
                "loopview run --for 5s -- target/p -x",
            ),
        ] {
            let refused = refusal(line);
            let wanted = format!("to run a program: {command}");
            assert!(refused.ends_with(&wanted), "{refused}");
        }
    }
}
