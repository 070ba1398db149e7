//! What a person writes: filters, keys scripts, the configuration, addresses, pages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use loopview::{config, filter::Filter, keymap::Key, script::Script, target::Endpoint};

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    match kind % 5 {
        0 => filter(&text),
        1 => {
            if let Err(error) = Script::parse(&text) {
                let _ = error.to_string();
            }
        }
        2 => configuration(bytes),
        3 => {
            let _ = text.parse::<Key>();
        }
        _ => {
            let _ = text.parse::<Endpoint>();
        }
    }
});

/// One that is understood is written so that it is understood again, as the same.
fn filter(text: &str) {
    let Ok(filter) = text.parse::<Filter>() else {
        return;
    };
    let written = filter.to_string();
    assert_eq!(written.parse::<Filter>().as_ref(), Ok(&filter), "{written}");
}

fn configuration(bytes: &[u8]) {
    match config::read(bytes) {
        Ok(settings) => {
            let written = config::write(&settings);
            assert!(config::read(written.as_bytes()).is_ok(), "{written}");
        }
        Err(problem) => drop(problem.to_string()),
    }
}
