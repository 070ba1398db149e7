use loopview_workloads::aio::{self, TaskGroup};

use crate::notes::{notes_of, sleep};

#[test]
fn the_block_ends_with_its_last_task_and_gives_its_value() {
    let notes = notes_of(async |notes| {
        let result = TaskGroup::run(async |group| {
            group.create_task(notes.clone().work("A", 200, 0))?;
            group.create_task(notes.clone().work("B", 100, 0))?;
            Ok("block")
        })
        .await;
        notes.end("group", &result);
        Ok(())
    });
    assert_eq!(
        notes[2..],
        [
            "100 B 100",
            "200 A 200",
            "200 group \"block\"",
            "200 main ()"
        ]
    );
}

#[test]
fn a_child_may_add_a_child_while_the_group_waits() {
    let notes = notes_of(async |notes| {
        TaskGroup::run(async |group| {
            let (inner, notes) = (group.clone(), notes.clone());
            group.create_task(async move {
                sleep(100).await?;
                inner.create_task(notes.clone().work("C", 100, 0))?;
                Ok(())
            })?;
            Ok(())
        })
        .await
    });
    assert_eq!(notes, ["100 C starts", "200 C 100", "200 main ()"]);
}

#[test]
fn an_error_cancels_the_siblings_and_comes_after_their_cleanup() {
    let notes = notes_of(async |notes| {
        let result = TaskGroup::run(async |group| {
            group.create_task(notes.clone().work("A", 500, 70))?;
            group.create_task(notes.clone().fail("B", 100))?;
            Ok(())
        })
        .await;
        notes.end("group", &result);
        Ok(())
    });
    assert_eq!(notes[1..3], ["100 B fails", "170 A cancelled"]);
    assert_eq!(
        notes[3],
        "170 group unhandled errors in a TaskGroup (1 sub-exception): B"
    );
}

#[test]
fn an_error_interrupts_the_block_and_leaves_no_request_behind() {
    let notes = notes_of(async |notes| {
        let result = TaskGroup::run(async |group| {
            group.create_task(notes.clone().fail("A", 100))?;
            notes.clone().work("block", 500, 0).await
        })
        .await;
        notes.end("group", &result);
        sleep(100).await
    });
    assert_eq!(notes[2], "100 block cancelled");
    assert_eq!(
        notes[3],
        "100 group unhandled errors in a TaskGroup (1 sub-exception): A"
    );
    assert_eq!(notes[4], "200 main ()");
}

#[test]
fn a_block_at_an_await_that_is_not_ours_is_interrupted_too() {
    let notes = notes_of(async |notes| {
        let result = TaskGroup::run(async |group| {
            group.create_task(notes.clone().fail("A", 100))?;
            std::future::pending::<aio::Result<()>>().await
        })
        .await;
        notes.end("group", &result);
        sleep(100).await
    });
    assert_eq!(
        notes[1],
        "100 group unhandled errors in a TaskGroup (1 sub-exception): A"
    );
    assert_eq!(notes[2], "200 main ()");
}

#[test]
fn errors_come_in_the_order_of_the_ends_and_the_blocks_own_last() {
    let notes = notes_of(async |notes| {
        let result: aio::Result<()> = TaskGroup::run(async |group| {
            let late = notes
                .clone()
                .work_then("A", 500, 50, Err(aio::Error::msg("late")));
            group.create_task(late)?;
            sleep(100).await?;
            Err(aio::Error::msg("block"))
        })
        .await;
        notes.end("group", &result);
        Ok(())
    });
    assert_eq!(
        notes[2],
        "150 group unhandled errors in a TaskGroup (2 sub-exceptions): late; block"
    );
}

#[test]
fn children_that_fail_in_one_turn_are_all_told() {
    let notes = notes_of(async |notes| {
        let result = TaskGroup::run(async |group| {
            for name in ["A", "B"] {
                group.create_task(notes.clone().fail(name, 0))?;
            }
            Ok(())
        })
        .await;
        notes.end("group", &result);
        Ok(())
    });
    assert_eq!(
        notes[2],
        "0 group unhandled errors in a TaskGroup (2 sub-exceptions): A; B"
    );
}

#[test]
fn a_request_from_outside_reaches_the_children_even_if_they_swallow_it() {
    let notes = notes_of(async |notes| {
        let child = notes.clone().work_then("A", 500, 70, Ok(7));
        let task = aio::create_task(TaskGroup::run(async move |group| {
            group.create_task(child)?;
            Ok(())
        }));
        sleep(100).await?;
        task.cancel();
        notes.end("group", &task.await);
        Ok(())
    });
    assert_eq!(
        notes[1..],
        ["170 A 7", "170 group cancelled", "170 main ()"]
    );
}

#[test]
fn a_group_that_is_dropped_asks_its_children_to_end() {
    let notes = notes_of(async |notes| {
        let group = TaskGroup::run(async |group| {
            group.create_task(notes.clone().work("A", 500, 70))?;
            Ok(())
        });
        let dropped = tokio::time::timeout(std::time::Duration::from_millis(100), group).await;
        assert!(dropped.is_err());
        sleep(200).await
    });
    assert_eq!(notes, ["0 A starts", "170 A cancelled", "300 main ()"]);
}

#[test]
fn a_group_that_shuts_down_or_has_ended_takes_no_more_tasks() {
    let notes = notes_of(async |notes| {
        let mut kept = None;
        let result = TaskGroup::run(async |group| {
            kept = Some(group.clone());
            group.create_task(notes.clone().fail("A", 100))?;
            let _ = sleep(500).await;
            let refused = group.create_task(notes.clone().work("B", 0, 0));
            notes.end("late", &refused.map(|_| ()));
            Ok(())
        })
        .await;
        assert!(result.is_err());
        let refused = kept.unwrap().create_task(sleep(100));
        notes.end("later", &refused.map(|_| ()));
        Ok(())
    });
    assert_eq!(notes[1], "100 late the TaskGroup is shutting down");
    assert_eq!(notes[2], "100 later the TaskGroup is finished");
}
