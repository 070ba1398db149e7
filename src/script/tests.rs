//! Scripts as they are read, and what is said of those that cannot be.

use proptest::prelude::*;

use super::*;

fn commands(text: &str) -> Vec<Command> {
    let script = Script::parse(text).unwrap_or_else(|error| panic!("{error}"));
    script.steps.into_iter().map(|step| step.command).collect()
}

fn press(code: KeyCode) -> Command {
    Command::Press(KeyEvent::from(code))
}

#[test]
fn a_script_is_its_commands_in_order() {
    let text = "# a comment\n\n  wait 1.5s\npress 2 Tab\tEnter\ntype /a b\n\
                until \"C \\\"done\\\" \\\\\" 200ms\nuntil \"x\"\nspeed 0.5\nwait end\n";
    let chars = ['/', 'a', ' ', 'b'].map(|c| press(KeyCode::Char(c)));
    let mut expected = vec![
        Command::Wait(Duration::from_millis(1500)),
        press(KeyCode::Char('2')),
        press(KeyCode::Tab),
        press(KeyCode::Enter),
    ];
    expected.extend(chars);
    expected.extend([
        Command::Until {
            text: "C \"done\" \\".to_owned(),
            limit: Duration::from_millis(200),
        },
        Command::Until {
            text: "x".to_owned(),
            limit: Duration::from_secs(10),
        },
        Command::Speed(0.5),
        Command::WaitEnd,
    ]);
    assert_eq!(commands(text), expected);
}

#[test]
fn keys_have_names() {
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(key("Ctrl-c"), Some(control));
    let shift = KeyEvent::new(KeyCode::Left, KeyModifiers::SHIFT);
    assert_eq!(key("Shift-Left"), Some(shift));
    assert_eq!(key("Shift-Tab").map(|key| key.code), Some(KeyCode::BackTab));
    assert_eq!(key("F12").map(|key| key.code), Some(KeyCode::F(12)));
    assert_eq!(key("G"), Some(KeyEvent::from(KeyCode::Char('G'))));
    for none in ["", "F0", "F13", "Entr", "Shift-a", "Ctrl-", "\u{1b}"] {
        assert_eq!(key(none), None, "{none:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, told) in [
        (
            "wait 1s\n  pres 2",
            "line 2, column 3: \"pres\" is no command",
        ),
        ("wait", "line 1, column 5: expected a time"),
        ("wait soon", "line 1, column 6: \"soon\" is no time"),
        ("wait -1s", "column 6: \"-1s\" is no time"),
        ("wait infs", "column 6: \"infs\" is no time"),
        ("wait 2h", "column 6: \"2h\" is no time"),
        ("wait 1s 2s", "column 9: nothing can follow here"),
        ("press Tab Entr", "column 11: \"Entr\" is no key"),
        ("press", "column 6: expected a key"),
        ("type  ", "column 7: expected a text"),
        ("until done", "column 7: expected a text in quotes"),
        ("until \"\"", "column 7: expected a text in quotes"),
        ("until \"日本", "column 7: the text has no closing quote"),
        ("until \"日\\n\"", "column 9: 'n' cannot follow a backslash"),
        ("until \"日本\" x", "column 12: \"x\" is no time"),
        ("speed 0", "column 7: \"0\" is no speed"),
        ("speed NaN", "column 7: \"NaN\" is no speed"),
    ] {
        let error = Script::parse(text).expect_err(text).to_string();
        assert!(error.contains(told), "{text:?}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_script_or_an_error_within_it(
        text in r#"((wait|press|type|until|speed|#)[ \t]{0,2}("?[^\n]{0,6}"?) ?([0-9.]{0,3}(s|ms)?)\n?){0,4}"#
    ) {
        if let Err(error) = Script::parse(&text) {
            let line = text.lines().nth(error.place.line - 1);
            let length = line.map_or(0, |line| line.chars().count());
            prop_assert!((1..=length + 1).contains(&error.place.column), "{error}");
        }
    }

    #[test]
    fn a_text_that_is_quoted_is_read_as_it_was(text in "[^\\pC]{1,12}") {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let script = format!("until \"{quoted}\" 1s");
        let limit = Duration::from_secs(1);
        prop_assert_eq!(commands(&script), [Command::Until { text, limit }]);
    }
}
