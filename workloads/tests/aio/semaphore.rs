use std::sync::Arc;

use loopview_workloads::aio::{self, BoundedSemaphore, Misuse, Semaphore};

use crate::notes::{notes_of, sleep};

#[test]
fn permits_go_to_those_who_ask_first() {
    let notes = notes_of(async |notes| {
        let two = Arc::new(Semaphore::new(2));
        let jobs = ["A", "B", "C", "D"].map(|name| {
            let (two, notes) = (Arc::clone(&two), notes.clone());
            async move { two.with(async || notes.work(name, 100, 0).await).await }
        });
        aio::gather(jobs).await?;
        assert!(!two.locked());
        Ok(())
    });
    assert_eq!(notes[..2], ["0 A starts", "0 B starts"]);
    assert_eq!(
        notes[2..6],
        ["100 A 100", "100 B 100", "100 C starts", "100 D starts"]
    );
}

#[test]
fn who_leaves_the_queue_takes_no_permit_along() {
    let notes = notes_of(async |notes| {
        let one = Arc::new(Semaphore::new(1));
        one.acquire().await?;
        let wait = |name| {
            let (one, notes) = (Arc::clone(&one), notes.clone());
            aio::create_task(async move {
                one.acquire().await?;
                notes.add(name);
                Ok(())
            })
        };
        let (first, second) = (wait("first"), wait("second"));
        sleep(100).await?;
        // The permit is the first one's already, who will not take it.
        one.release();
        first.cancel();
        notes.end("first", &first.await);
        second.await
    });
    assert_eq!(notes, ["100 second", "100 first cancelled", "100 main ()"]);
}

#[test]
fn a_dropped_wait_takes_no_permit_along() {
    let notes = notes_of(async |_| {
        let one = Semaphore::new(0);
        let wait = tokio::time::timeout(std::time::Duration::from_millis(100), one.acquire());
        assert!(wait.await.is_err());
        one.release();
        one.acquire().await
    });
    assert_eq!(notes, ["100 main ()"]);
}

#[test]
fn a_bounded_one_refuses_to_grow() {
    let notes = notes_of(async |notes| {
        let one = BoundedSemaphore::new(1);
        notes.end("free", &one.release());
        one.with(async || one.release()).await.or_else(|error| {
            assert_eq!(error.downcast_ref(), Some(&Misuse::ReleasedTooOften));
            Ok(())
        })
    });
    assert_eq!(
        notes,
        [
            "0 free the BoundedSemaphore is released too many times",
            "0 main ()"
        ]
    );
}
