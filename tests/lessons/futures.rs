//! Futures written by hand, and what they cost.

use super::report::{number, run};

#[test]
fn without_a_waker_a_task_is_not_woken() {
    let report = run(&["lost-waker", "--scale", "0.2"]);
    report.assert_ok("lost-waker", 0.5, &["careful", "careless", "waiter"]);
    let (careful, careless) = (report.task("careful"), report.task("careless"));
    assert_eq!(
        (&careful["outcome"], &careful["polls"], &careful["wakes"]),
        (&"ok".into(), &2.into(), &1.into())
    );
    assert_eq!(
        (&careless["outcome"], &careless["polls"], &careless["wakes"]),
        (&"cancelled".into(), &1.into(), &0.into())
    );
    assert!(number(&careless["total_ms"]) >= 500.0);
}

#[test]
fn a_bell_for_every_plate_is_no_more_polls_than_one_for_all() {
    let report = run(&["many-wakes", "--scale", "0.2"]);
    report.assert_ok("many-wakes", 0.5, &["waiter-plate", "waiter-tray"]);
    for (waiter, wakes) in [("waiter-plate", 2_000), ("waiter-tray", 10)] {
        let waiter = report.task(waiter);
        assert_eq!(
            (&waiter["wakes"], &waiter["polls"]),
            (&wakes.into(), &11.into())
        );
    }
    let few = run(&["many-wakes", "--scale", "0.05", "--set", "tray=50"]);
    assert_eq!(few.task("waiter-plate")["wakes"], 40);
}

#[test]
fn what_is_held_across_an_await_is_in_the_future() {
    let report = run(&["large-future", "--scale", "0.1"]);
    report.assert_ok("large-future", 0.2, &["suitcase", "piano-pinned"]);
    let size = |name: &str| {
        let start = format!("{name}: a future of ");
        let output = report.output();
        let line = output.iter().find_map(|line| line.strip_prefix(&start));
        let bytes = line.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        bytes.unwrap_or_else(|| panic!("{name} tells no size: {output:?}"))
    };
    assert!((4_096..16_384).contains(&size("suitcase")));
    assert!(size("piano") >= 65_536);
    assert_eq!(size("piano-pinned"), size_of::<usize>());
    assert!(size("unpacked") < 2_048);
}
