use loopview_workloads::aio::{self, Error};

use crate::notes::{notes_of, sleep};

#[test]
fn items_come_as_they_end_each_with_its_own_error() {
    let notes = notes_of(async |notes| {
        let slow = aio::create_task(notes.clone().work("A", 300, 0));
        let bad = aio::create_task(notes.clone().fail("B", 100));
        let mut items = aio::as_completed([&slow, &bad, &slow], None);
        while let Some(item) = items.next().await {
            notes.end("item", &item);
        }
        Ok(())
    });
    assert_eq!(notes[2], "100 item B");
    assert_eq!(notes[4..], ["300 item 300", "300 main ()"]);
}

#[test]
fn at_the_limit_the_rest_times_out_and_runs_on() {
    let notes = notes_of(async |notes| {
        let work = [("A", 300), ("B", 100), ("C", 200)];
        let work = work.map(|(name, ms)| notes.clone().work(name, ms, 0));
        let mut items = aio::as_completed(work, 0.15);
        while let Some(item) = items.next().await {
            notes.end("item", &item);
        }
        sleep(200).await
    });
    assert_eq!(
        notes[3..],
        [
            "100 B 100",
            "100 item 100",
            "150 item timed out",
            "150 item timed out",
            "200 C 200",
            "300 A 300",
            "350 main ()"
        ]
    );
}

#[test]
fn the_time_is_up_also_for_a_consumer_that_does_something_else() {
    let notes = notes_of(async |notes| {
        let mut items = aio::as_completed([notes.clone().work("A", 200, 0)], 0.1);
        sleep(300).await?;
        assert!(matches!(items.next().await, Some(Err(Error::TimedOut))));
        assert!(items.next().await.is_none());
        Ok(())
    });
    assert_eq!(notes[1..], ["200 A 200", "300 main ()"]);
}

#[test]
fn a_cancelled_consumer_cancels_none_of_them() {
    let notes = notes_of(async |notes| {
        let work = aio::create_task(notes.clone().work("A", 200, 0));
        let mut items = aio::as_completed([work], None);
        let consumer = aio::create_task(async move { items.next().await.unwrap() });
        sleep(100).await?;
        consumer.cancel();
        notes.end("consumer", &consumer.await);
        sleep(200).await
    });
    assert_eq!(notes[1..3], ["100 consumer cancelled", "200 A 200"]);
}
