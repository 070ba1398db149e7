//! The model, fed with what programs tell. The stories are in `tests/scenarios`; what is
//! to hold is written between their lines.

mod support;

use support::{expect, scenario::Scenario};

#[test]
fn what_the_stories_expect_holds() {
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(Scenario::folder()).expect("the stories' folder") {
        let path = entry.expect("a story").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let scenario = Scenario::load(&name);
        let failures = expect::failures(&scenario);
        failed.extend(failures.iter().map(|f| format!("{name}.txt, {f}")));
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
