//! Threads: what they wait for is a channel, never the clock.

use std::{sync::mpsc, thread};

use loopview_workloads::aio::{self, Config, Error};

use crate::notes::sleep;

#[test]
fn the_call_runs_on_another_thread_with_the_tasks_context() {
    let config = Config {
        scale: 0.5,
        ..Config::paused()
    };
    let (there, pause) = aio::run(&config, async {
        aio::to_thread(|| Ok((thread::current().id(), aio::scaled(1.0)))).await
    })
    .unwrap();
    assert_ne!(there, thread::current().id());
    assert_eq!(pause.as_millis(), 500);
}

#[test]
fn nothing_runs_before_the_await() {
    let (ran, has_run) = mpsc::channel();
    aio::run(&Config::paused(), async move {
        let call = aio::to_thread(move || Ok(ran.send(())?));
        sleep(100).await?;
        drop(call);
        Ok(())
    })
    .unwrap();
    assert!(has_run.recv().is_err());
}

#[test]
fn an_error_or_a_panic_is_raised_at_the_await() {
    let error = aio::run::<(), _>(&Config::paused(), async {
        let failed = aio::to_thread(|| Err::<(), _>(Error::msg("no oven"))).await;
        assert_eq!(failed.unwrap_err().to_string(), "no oven");
        aio::to_thread(|| panic!("on purpose")).await
    });
    let error = error.unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
}

#[test]
fn a_cancelled_await_ends_at_once_and_run_waits_for_the_thread() {
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (go, may_go) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel();
    aio::run(&Config::default(), async move {
        let task = aio::create_task(aio::to_thread(move || {
            let _ = started.send(());
            may_go.recv()?;
            Ok(ended.send(())?)
        }));
        has_started.await?;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        // Only now may the thread end, so the await did not wait for it.
        Ok(go.send(())?)
    })
    .unwrap();
    assert_eq!(has_ended.try_recv(), Ok(()));
}
