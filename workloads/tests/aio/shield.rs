use loopview_workloads::aio;

use crate::notes::{notes_of, sleep};

#[test]
fn the_awaiter_leaves_and_the_work_goes_on() {
    let notes = notes_of(async |notes| {
        let work = aio::create_task(notes.clone().work("A", 300, 0));
        let awaiter = aio::create_task(aio::shield(&work));
        sleep(100).await?;
        awaiter.cancel();
        notes.end("awaiter", &awaiter.await);
        work.await?;
        Ok(())
    });
    assert_eq!(notes[1..3], ["100 awaiter cancelled", "300 A 300"]);
}

#[test]
fn it_changes_nothing_else() {
    let notes = notes_of(async |notes| {
        let value = aio::shield(notes.clone().work("A", 100, 0)).await;
        notes.end("value", &value);
        notes.end("error", &aio::shield(notes.clone().fail("E", 100)).await);
        let work = aio::create_task(notes.clone().work("B", 300, 0));
        let awaiter = aio::create_task(aio::shield(&work));
        sleep(100).await?;
        work.cancel();
        notes.end("inside", &awaiter.await);
        notes.end("done", &aio::shield(&work).await);
        Ok(())
    });
    assert_eq!(notes[2], "100 value 100");
    assert_eq!(notes[4], "200 error E");
    assert_eq!(notes[7..9], ["300 inside cancelled", "300 done cancelled"]);
}
