use loopview_workloads::aio::{self, Error, Misuse};

use crate::notes::{notes_of, sleep};

#[test]
fn a_block_in_time_gives_its_value() {
    let notes = notes_of(async |notes| {
        let value = aio::timeout(0.2, async |limit| {
            assert_eq!(limit.when(), Some(0.2));
            notes.clone().work("A", 100, 0).await
        });
        notes.end("block", &value.await);
        Ok(())
    });
    assert_eq!(notes[2], "100 block 100");
}

#[test]
fn the_request_becomes_the_timeout_when_it_leaves_the_block() {
    let notes = notes_of(async |notes| {
        let mut handle = None;
        let late = aio::timeout(0.1, async |limit| {
            handle = Some(limit);
            notes.clone().work("A", 500, 70).await
        });
        notes.end("block", &late.await);
        assert!(handle.unwrap().expired());
        assert_eq!(aio::current_task().cancelling(), 0);
        Ok(())
    });
    assert_eq!(notes[1..3], ["170 A cancelled", "170 block timed out"]);
}

#[test]
fn a_block_at_an_await_that_is_not_ours_ends_at_once() {
    let notes = notes_of(async |notes| {
        let late = aio::timeout(0.1, async |_| {
            std::future::pending::<aio::Result<()>>().await
        });
        notes.end("block", &late.await);
        sleep(100).await
    });
    assert_eq!(notes, ["100 block timed out", "200 main ()"]);
}

#[test]
fn it_can_be_moved_until_it_has_expired() {
    let notes = notes_of(async |notes| {
        let result = aio::timeout(None, async |limit| {
            limit.reschedule(aio::time() + 0.5)?;
            let other = limit.clone();
            aio::create_task(async move {
                sleep(100).await?;
                other.reschedule(0.3)
            });
            let _ = sleep(1000).await;
            notes.end("late", &limit.reschedule(None));
            Ok(())
        });
        notes.end("block", &result.await);
        Ok(())
    });
    let refused = format!("300 late {}", Misuse::TimeoutOver);
    assert_eq!(notes, [&refused, "300 block ()", "300 main ()"]);
}

#[test]
fn it_can_be_given_as_a_time_of_the_loop() {
    let notes = notes_of(async |notes| {
        sleep(100).await?;
        let late = aio::timeout_at(0.3, async |_| sleep(1000).await);
        notes.end("block", &late.await);
        let past = aio::timeout_at(aio::time() - 1.0, async |_| {
            notes.add("it starts");
            sleep(0).await
        });
        notes.end("past", &past.await);
        Ok(())
    });
    assert_eq!(
        notes[..3],
        ["300 block timed out", "300 it starts", "300 past timed out"]
    );
}

/// The limit passes in the middle of the cleanup and interrupts it; the first request still counts.
#[test]
fn a_request_from_outside_is_no_timeout() {
    let notes = notes_of(async |notes| {
        let block = notes.clone().work("A", 500, 100);
        let task = aio::create_task(aio::timeout(0.15, async |_| block.await));
        sleep(100).await?;
        task.cancel();
        assert!(matches!(task.await, Err(Error::Cancelled)));
        Ok(())
    });
    assert_eq!(notes[1..], ["150 A cancelled", "150 main ()"]);
}
