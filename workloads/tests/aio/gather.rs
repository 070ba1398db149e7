use loopview_workloads::aio;

use crate::notes::{notes_of, sleep};

#[test]
fn results_come_in_the_order_of_the_arguments() {
    let notes = notes_of(async |notes| {
        let work = [("A", 300), ("B", 100), ("C", 200)];
        let results = work.map(|(name, ms)| notes.clone().work(name, ms, 0));
        notes.end("gather", &aio::gather(results).await);
        Ok(())
    });
    assert_eq!(notes[3..6], ["100 B 100", "200 C 200", "300 A 300"]);
    assert_eq!(notes[6], "300 gather [300, 100, 200]");
}

#[test]
fn gathering_nothing_takes_no_time() {
    let notes = notes_of(async |notes| {
        let nothing: [aio::Task<()>; 0] = [];
        notes.end("gather", &aio::gather(nothing).await);
        Ok(())
    });
    assert_eq!(notes, ["0 gather []", "0 main ()"]);
}

#[test]
fn the_first_error_is_raised_at_once_and_the_others_run_on() {
    let notes = notes_of(async |notes| {
        let slow = aio::create_task(notes.clone().work("A", 300, 0));
        let bad = aio::create_task(notes.clone().fail("B", 200));
        notes.end("gather", &aio::gather([&slow, &bad]).await);
        slow.await?;
        Ok(())
    });
    assert_eq!(
        notes,
        [
            "0 A starts",
            "200 B fails",
            "200 gather B",
            "300 A 300",
            "300 main ()"
        ]
    );
}

#[test]
fn a_task_given_twice_runs_once_and_may_have_ended() {
    let notes = notes_of(async |notes| {
        let done = aio::create_task(notes.clone().work("A", 100, 0));
        let task = aio::create_task(notes.clone().work("B", 300, 0));
        sleep(200).await?;
        notes.end("gather", &aio::gather([&task, &done, &task]).await);
        Ok(())
    });
    assert_eq!(notes[4], "300 gather [300, 100, 300]");
}

#[test]
fn cancelling_the_awaiter_cancels_all_and_raises_with_the_first() {
    let notes = notes_of(async |notes| {
        let gathering = notes.clone();
        let task = aio::create_task(async move {
            let children = [("A", 150), ("B", 50)];
            let children = children.map(|(name, ms)| gathering.clone().work(name, 500, ms));
            aio::gather(children).await
        });
        sleep(100).await?;
        task.cancel();
        notes.end("gather", &task.await);
        sleep(300).await
    });
    assert_eq!(
        notes[2..],
        [
            "150 B cancelled",
            "150 gather cancelled",
            "250 A cancelled",
            "450 main ()"
        ]
    );
}

#[test]
fn children_that_swallow_do_not_keep_the_awaiter() {
    let notes = notes_of(async |notes| {
        let child = notes.clone().work_then("A", 500, 50, Ok(7));
        let task = aio::create_task(async { aio::gather([child]).await });
        sleep(100).await?;
        task.cancel();
        notes.end("gather", &task.await);
        Ok(())
    });
    assert_eq!(
        notes[1..],
        ["150 A 7", "150 gather cancelled", "150 main ()"]
    );
}

#[test]
fn settled_waits_for_all_and_gives_errors_in_place() {
    let notes = notes_of(async |notes| {
        let cancelled = aio::create_task(notes.clone().work("C", 300, 0));
        cancelled.cancel();
        let good = aio::create_task(notes.clone().work("A", 300, 0));
        let bad = aio::create_task(notes.clone().fail("B", 100));
        let results = aio::gather_settled([&good, &bad, &cancelled, &bad]).await?;
        for result in &results {
            notes.end("result", result);
        }
        Ok(())
    });
    assert_eq!(
        notes[3..],
        [
            "300 result 300",
            "300 result B",
            "300 result cancelled",
            "300 result B",
            "300 main ()"
        ]
    );
}

#[test]
fn a_cancelled_settled_one_ends_with_its_last_child() {
    let notes = notes_of(async |notes| {
        let children = [("A", 150), ("B", 50)];
        let children = children.map(|(name, ms)| notes.clone().work(name, 500, ms));
        let task = aio::create_task(async { aio::gather_settled(children).await });
        sleep(100).await?;
        task.cancel();
        notes.end("gather", &task.await);
        Ok(())
    });
    assert_eq!(
        notes[2..5],
        ["150 B cancelled", "250 A cancelled", "250 gather cancelled"]
    );
}
