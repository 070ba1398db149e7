use loopview_workloads::aio::{self, Config, Error, Flavor, NamedExt, Runner, TaskGroup};

use crate::notes::{notes_of, sleep};

#[test]
fn leftovers_are_cancelled_and_clean_up() {
    let notes = notes_of(async |notes| {
        aio::create_task(notes.clone().work("A", 500, 70));
        aio::create_task(notes.clone().work_then("B", 500, 90, Ok(7)));
        sleep(100).await
    });
    assert_eq!(notes[2..], ["100 main ()", "170 A cancelled", "190 B 7"]);
}

#[test]
fn leftovers_are_cancelled_also_when_main_fails() {
    let notes = notes_of(async |notes| {
        aio::create_task(notes.clone().work("A", 500, 70));
        sleep(100).await?;
        Err(Error::msg("main's own"))
    });
    assert_eq!(notes[1..], ["100 main main's own", "170 A cancelled"]);
}

#[test]
fn tasks_without_a_name_are_counted_from_two_as_main_is_the_first() {
    let names = aio::run(&Config::paused(), async {
        let first = aio::create_task(sleep(0));
        let named = aio::create_task(sleep(0).named("Worker-0"));
        let second = aio::create_task(sleep(0));
        Ok([first, named, second].map(|task| task.name().to_owned()))
    });
    assert_eq!(names.unwrap(), ["Task-2", "Worker-0", "Task-3"]);
}

#[test]
fn every_sleep_and_limit_is_scaled() {
    let config = Config {
        scale: 0.1,
        ..Config::paused()
    };
    let elapsed = aio::run(&config, async {
        let start = tokio::time::Instant::now();
        aio::sleep(2.0).await?;
        let late = aio::wait_for(aio::sleep(100.0), 1.0).await;
        assert!(matches!(late, Err(Error::TimedOut)));
        Ok(start.elapsed())
    });
    assert_eq!(elapsed.unwrap().as_millis(), 300);
}

#[test]
fn the_words_work_on_many_threads_too() {
    let config = Config {
        flavor: Flavor::MultiThread { workers: Some(2) },
        scale: 0.001,
        ..Config::default()
    };
    let sum = aio::run(&config, async {
        let children = (0..100_u32).map(async |n| {
            aio::wait_for(aio::sleep(0.1), 60_000.0).await?;
            Ok(n)
        });
        let numbers = aio::gather(children).await?;
        let forever = aio::create_task(aio::sleep(1e12));
        forever.cancel();
        assert!(forever.await.unwrap_err().is_cancelled());
        Ok(numbers.iter().sum::<u32>())
    });
    assert_eq!(sum.unwrap(), 4950);
}

#[test]
fn on_many_threads_no_request_is_lost() {
    let config = Config {
        flavor: Flavor::MultiThread { workers: Some(2) },
        ..Config::default()
    };
    aio::run(&config, async {
        for round in 0..1000 {
            let inner = aio::create_task(aio::sleep(1e12));
            let outer = aio::create_task(TaskGroup::run(async move |group| {
                group.create_task(inner)?;
                aio::gather([aio::sleep(1e12)]).await
            }));
            for _ in 0..round % 5 {
                aio::sleep(0.0).await?;
            }
            outer.cancel();
            assert!(outer.await.unwrap_err().is_cancelled());
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_runner_runs_more_than_once_and_closes_at_the_end() {
    let mut runner = Runner::new(&Config::paused()).unwrap();
    let task = runner
        .run(async {
            let task = aio::create_task(aio::sleep(5.0));
            aio::sleep(1.0).await?;
            Ok(task)
        })
        .unwrap();
    assert!(!task.done());
    runner.run(async { aio::sleep(2.0).await }).unwrap();
    assert!((runner.time() - 3.0).abs() < 1e-9);
    runner.close();
    assert!(task.result().unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_task_of_another_loop_can_be_cancelled() {
    let (send, receive) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        aio::run(&Config::default(), async move {
            let task = aio::create_task(aio::sleep(1e9));
            send.send(task.clone())?;
            let ended = task.await;
            assert!(ended.unwrap_err().is_cancelled());
            Ok(())
        })
    });
    aio::run(&Config::paused(), async move {
        receive.recv()?.cancel();
        Ok(())
    })
    .unwrap();
    other.join().unwrap().unwrap();
}
