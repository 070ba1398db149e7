//! Tasks that wait for each other, and tasks that only want their turn.

use super::report::{latest, number, run};

#[test]
fn a_semaphore_lets_three_in_at_a_time() {
    let report = run(&["semaphore", "--scale", "0.2"]);
    report.assert_ok("semaphore", 0.64, &["page-1", "page-12"]);
    for page in 1..=12_i32 {
        let total = number(&report.task(&format!("page-{page}"))["total_ms"]);
        let round = f64::from((page + 2) / 3);
        assert!(total >= round * 160.0, "page {page}: {total} ms");
    }
    let all = run(&["semaphore", "--scale", "0.2", "--set", "limit=12"]);
    all.assert_ok("semaphore", 0.16, &["page-1", "page-12"]);
}

#[test]
fn a_mutex_lets_one_in_at_a_time() {
    let report = run(&["mutex", "--scale", "0.3"]);
    report.assert_ok("mutex", 0.72, &["barista-1", "barista-4"]);
    for barista in 1..=4 {
        let total = number(&report.task(&format!("barista-{barista}"))["total_ms"]);
        assert!(total >= f64::from(barista) * 180.0, "{barista}: {total} ms");
    }
}

#[test]
fn a_bounded_channel_slows_the_sender_down() {
    let cook = |capacity| {
        let report = run(&["channel", "--scale", "0.2", "--set", capacity]);
        report.assert_ok("channel", 0.61, &["cook", "waiter"]);
        number(&report.task("cook")["total_ms"])
    };
    let (narrow, wide) = (cook("capacity=2"), cook("capacity=10"));
    assert!(narrow > 7.0 * 60.0, "{narrow} ms");
    assert!(wide < narrow, "{wide} ms, not {narrow}");
}

#[test]
fn a_deadlock_does_not_end_by_itself() {
    let report = run(&["deadlock", "--scale", "0.2", "--for", "1500ms"]);
    assert_eq!(report.0["outcome"], "stopped");
    for name in ["main", "left", "right"] {
        let task = report.task(name);
        assert_ne!(task["state"], "done", "{name}");
        assert!(number(&task["busy_ms"]) < 100.0, "{name} is not busy");
    }
    assert_eq!(report.output(), ["took the knife", "took the board"]);
}

#[test]
fn permits_that_are_lost_are_missed_by_all_who_come_later() {
    let guests = |lost| {
        let report = run(&["lost-permits", "--scale", "0.2", "--set", lost]);
        report.assert_ok("lost-permits", 1.2, &["guest-1", "guest-300"]);
        number(&report.task("guest-100")["total_ms"])
    };
    // 200 guests come after it, each after 4 ms, until all are sent home.
    assert!(guests("lost=5") >= 800.0);
    assert!(guests("lost=0") < 400.0);
}

#[test]
fn who_wakes_himself_starves_the_others() {
    let report = run(&["starvation"]);
    let cook = report.task("cook-1");
    assert_eq!(cook["self_wakes"], 40);
    assert_eq!(cook["wakes"], 40);
    let (ready, busy) = (number(&cook["scheduled_ms"]), number(&cook["busy_ms"]));
    assert!(ready > 4.0 * busy, "{cook:#}");
    // 61 polls of 16 ms, one after the other.
    assert!(latest(&report.timers_of("guest")).as_secs_f64() > 0.5);
    assert!(number(&report.0["runtime"]["busy_ratio"]) > 0.9);
}

#[test]
fn needless_tasks_are_done_in_one_poll() {
    let report = run(&["needless-async", "--set", "rounds=5"]);
    report.assert_ended("needless-async", &["sum-1.0", "sum-5.19"]);
    let sums = report.rows("tasks").iter().filter(|task| {
        let name = task["name"].as_str().unwrap_or_default();
        name.starts_with("sum-")
    });
    let sums: Vec<_> = sums.collect();
    assert_eq!(sums.len(), 100);
    for sum in sums {
        assert_eq!((&sum["polls"], &sum["wakes"]), (&1.into(), &0.into()));
        assert!(number(&sum["busy_ms"]) >= 1.0);
    }
}
