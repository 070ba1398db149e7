use loopview_workloads::aio::{self, Error};

use crate::notes::{notes_of, sleep};

#[test]
fn a_value_or_an_error_in_time_passes() {
    let notes = notes_of(async |notes| {
        let value = aio::wait_for(notes.clone().work("A", 100, 0), 0.2).await;
        notes.end("value", &value);
        let error = aio::wait_for(notes.clone().fail("E", 100), 0.2).await;
        notes.end("error", &error);
        let value = aio::wait_for(notes.clone().work("B", 900, 0), None).await;
        notes.end("no limit", &value);
        Ok(())
    });
    assert_eq!(notes[2], "100 value 100");
    assert_eq!(notes[4], "200 error E");
    assert_eq!(notes[7], "1100 no limit 900");
}

#[test]
fn the_timeout_comes_after_the_cleanup() {
    let notes = notes_of(async |notes| {
        let late = aio::wait_for(notes.clone().work("A", 500, 70), 0.1).await;
        notes.end("wait", &late);
        Ok(())
    });
    assert_eq!(
        notes[1..],
        ["170 A cancelled", "170 wait timed out", "170 main ()"]
    );
}

#[test]
fn what_swallows_the_request_gives_its_value_late() {
    let notes = notes_of(async |notes| {
        let work = notes.clone().work_then("A", 500, 70, Ok(7));
        notes.end("wait", &aio::wait_for(work, 0.1).await);
        let work = notes.clone().work_then("B", 500, 70, Err(Error::msg("E")));
        notes.end("wait", &aio::wait_for(work, 0.1).await);
        Ok(())
    });
    assert_eq!(notes[2], "170 wait 7");
    assert_eq!(notes[5], "340 wait E");
}

#[test]
fn without_time_a_coroutine_never_starts_but_a_finished_task_counts() {
    let notes = notes_of(async |notes| {
        notes.end(
            "new",
            &aio::wait_for(notes.clone().work("A", 0, 0), 0.0).await,
        );
        let task = aio::create_task(notes.clone().work("B", 100, 0));
        sleep(200).await?;
        notes.end("done", &aio::wait_for(task, -1.0).await);
        Ok(())
    });
    assert_eq!(
        notes,
        [
            "0 new timed out",
            "0 B starts",
            "100 B 100",
            "200 done 100",
            "200 main ()"
        ]
    );
}

#[test]
fn cancelling_the_waiter_or_the_awaited_is_no_timeout() {
    let notes = notes_of(async |notes| {
        let inner = aio::create_task(notes.clone().work("A", 500, 70));
        let waiting = aio::create_task(aio::wait_for(&inner, 0.3));
        sleep(100).await?;
        waiting.cancel();
        notes.end("outside", &waiting.await);

        let inner = aio::create_task(notes.clone().work("B", 500, 0));
        let waiting = aio::create_task(aio::wait_for(&inner, 0.3));
        sleep(100).await?;
        inner.cancel();
        notes.end("inside", &waiting.await);
        Ok(())
    });
    assert_eq!(notes[1..3], ["170 A cancelled", "170 outside cancelled"]);
    assert_eq!(notes[5], "270 inside cancelled");
}

#[test]
fn a_gather_is_cancelled_with_its_children() {
    let notes = notes_of(async |notes| {
        let children = ["A", "B"].map(|name| notes.clone().work(name, 500, 50));
        notes.end("wait", &aio::wait_for(aio::gather(children), 0.1).await);
        Ok(())
    });
    assert_eq!(
        notes[2..],
        [
            "150 A cancelled",
            "150 B cancelled",
            "150 wait timed out",
            "150 main ()"
        ]
    );
}
