use loopview_workloads::aio::{self, Error, NamedExt};

use crate::notes::{notes_of, sleep};

#[test]
fn a_cancelled_task_cleans_up_before_it_ends() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(notes.clone().work("A", 500, 70));
        sleep(100).await?;
        assert!(task.cancel());
        assert!(!task.done());
        notes.end("awaited", &(&task).await);
        assert!(!task.cancel(), "it has ended");
        Ok(())
    });
    assert_eq!(
        notes,
        [
            "0 A starts",
            "170 A cancelled",
            "170 awaited cancelled",
            "170 main ()"
        ]
    );
}

#[test]
fn a_task_may_swallow_the_request() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(notes.clone().work_then("A", 500, 70, Ok(7)));
        sleep(100).await?;
        task.cancel();
        notes.end("awaited", &(&task).await);
        assert_eq!(task.cancelling(), 1);
        Ok(())
    });
    assert_eq!(
        notes,
        ["0 A starts", "170 A 7", "170 awaited 7", "170 main ()"]
    );
}

#[test]
fn a_second_request_interrupts_the_cleanup() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(notes.clone().work("A", 500, 200));
        for _ in 0..2 {
            sleep(100).await?;
            task.cancel();
        }
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(
        notes[1..],
        ["200 A cancelled", "200 awaited cancelled", "200 main ()"]
    );
}

#[test]
fn two_requests_in_one_turn_are_answered_once() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(notes.clone().work("A", 500, 70));
        sleep(100).await?;
        task.cancel();
        task.cancel();
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(notes[1], "170 A cancelled");
}

#[test]
fn a_task_cancelled_before_its_first_step_never_runs() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(notes.clone().work("A", 500, 70));
        task.cancel();
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(notes, ["0 awaited cancelled", "0 main ()"]);
}

#[test]
fn a_request_goes_on_to_the_task_that_is_awaited() {
    let notes = notes_of(async |notes| {
        let inner = aio::create_task(notes.clone().work("A", 500, 70));
        let outer = aio::create_task(async move { inner.await });
        sleep(100).await?;
        outer.cancel();
        notes.end("R", &outer.await);
        Ok(())
    });
    assert_eq!(
        notes[1..],
        ["170 A cancelled", "170 R cancelled", "170 main ()"]
    );
}

#[test]
fn who_awaits_a_task_that_swallows_gets_its_value() {
    let notes = notes_of(async |notes| {
        let inner = aio::create_task(notes.clone().work_then("A", 500, 70, Ok(7)));
        let outer = aio::create_task(async move { inner.await });
        sleep(100).await?;
        outer.cancel();
        notes.end("R", &(&outer).await);
        assert_eq!(outer.cancelling(), 1);
        Ok(())
    });
    assert_eq!(notes[1..], ["170 A 7", "170 R 7", "170 main ()"]);
}

#[test]
fn a_task_that_cancels_itself_is_answered_at_its_next_await_or_its_end() {
    let notes = notes_of(async |notes| {
        for awaits in [true, false] {
            let (send, receive) = tokio::sync::oneshot::channel::<aio::Task<()>>();
            let task = aio::create_task(async move {
                receive.await?.cancel();
                if awaits {
                    sleep(100).await?;
                }
                Ok(())
            });
            let _ = send.send(task.clone());
            notes.end("self", &task.await);
        }
        Ok(())
    });
    assert_eq!(notes, ["0 self cancelled", "0 self cancelled", "0 main ()"]);
}

#[test]
fn at_an_await_that_is_not_ours_a_cancelled_task_is_dropped() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(async {
            std::future::pending::<()>().await;
            Ok(())
        });
        sleep(100).await?;
        task.cancel();
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(notes, ["100 awaited cancelled", "100 main ()"]);
}

#[test]
fn a_finished_task_gives_its_result_or_its_error_again_and_again() {
    let notes = notes_of(async |notes| {
        let value = aio::create_task(notes.clone().work("A", 100, 0));
        let error = aio::create_task(notes.clone().fail("E", 100));
        for _ in 0..2 {
            notes.end("value", &(&value).await);
            notes.end("error", &(&error).await);
        }
        Ok(())
    });
    assert_eq!(
        notes[3..],
        [
            "100 value 100",
            "100 error E",
            "100 value 100",
            "100 error E",
            "100 main ()"
        ]
    );
}

#[test]
fn a_panic_is_the_tasks_error() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(async { panic!("on purpose") as aio::Result<()> }.named("P"));
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(notes[0], "0 awaited task P panicked");
}

#[test]
fn sleeping_for_no_time_gives_the_others_one_turn() {
    let notes = notes_of(async |notes| {
        let other = notes.clone();
        let task = aio::create_task(async move {
            other.add("other 1");
            aio::sleep(-1.0).await?;
            other.add("other 2");
            Ok(())
        });
        notes.add("main 1");
        aio::sleep(0.0).await?;
        notes.add("main 2");
        task.await
    });
    assert_eq!(
        notes,
        [
            "0 main 1",
            "0 other 1",
            "0 main 2",
            "0 other 2",
            "0 main ()"
        ]
    );
}

#[test]
fn the_time_of_a_sleep_runs_from_its_await() {
    let notes = notes_of(async |_| {
        let later = aio::sleep(0.3);
        sleep(200).await?;
        later.await
    });
    assert_eq!(notes, ["500 main ()"]);
}

#[test]
fn an_error_raised_by_hand_counts_as_cancelled() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(async { Err::<(), _>(Error::Cancelled) });
        notes.end("awaited", &task.await);
        Ok(())
    });
    assert_eq!(notes, ["0 awaited cancelled", "0 main ()"]);
}

#[test]
fn a_task_knows_itself_and_its_requests() {
    let notes = notes_of(async |notes| {
        let task = aio::create_task(
            async {
                let me = aio::current_task();
                assert_eq!((me.name(), me.done()), ("me", false));
                me.cancel();
                assert_eq!(me.cancelling(), 1);
                assert_eq!(me.uncancel(), 0);
                // Taken back before anybody answered.
                sleep(100).await?;
                Ok(me.cancelling())
            }
            .named("me"),
        );
        assert!(task.result().is_none());
        notes.end("awaited", &(&task).await);
        assert_eq!(task.result().unwrap().unwrap(), 0);
        Ok(())
    });
    assert_eq!(notes, ["100 awaited 0", "100 main ()"]);
}

#[test]
fn tasks_that_await_each_other_can_be_cancelled() {
    let notes = notes_of(async |notes| {
        let (send, receive) = tokio::sync::oneshot::channel::<aio::Task<()>>();
        let one = aio::create_task(async { receive.await?.await });
        let of_two = one.clone();
        let two = aio::create_task(async move { of_two.await });
        let _ = send.send(two.clone());
        sleep(100).await?;
        one.cancel();
        notes.end("one", &one.await);
        notes.end("two", &two.await);
        Ok(())
    });
    assert_eq!(
        notes,
        ["100 one cancelled", "100 two cancelled", "100 main ()"]
    );
}

#[test]
fn a_task_that_awaits_itself_is_told() {
    let notes = notes_of(async |notes| {
        let (send, receive) = tokio::sync::oneshot::channel::<aio::Task<()>>();
        let task = aio::create_task(async { receive.await?.await });
        let _ = send.send(task.clone());
        notes.end("task", &task.await);
        Ok(())
    });
    assert_eq!(notes[0], "0 task a task cannot await itself");
}

#[test]
fn many_awaits_in_one_task_are_woken_each_by_its_own() {
    let notes = notes_of(async |notes| {
        let work = (1..=3_u32).map(|n| notes.clone().work("A", 100 * n, 0));
        let results = futures::future::join_all(work).await;
        notes.end("all", &results.into_iter().collect::<aio::Result<Vec<_>>>());
        Ok(())
    });
    assert_eq!(
        notes[3..],
        [
            "100 A 100",
            "200 A 200",
            "300 A 300",
            "300 all [100, 200, 300]",
            "300 main ()"
        ]
    );
}
