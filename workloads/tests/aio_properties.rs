//! What holds for every program: no task outlives its group, no permit is lost, a request is answered
//! once, and results come in the order of the arguments.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use loopview_workloads::aio::{self, Config, Error, Flavor, Result, Semaphore, TaskGroup};
use proptest::prelude::*;

async fn sleep(ms: u64) -> Result<()> {
    aio::sleep(Duration::from_millis(ms).as_secs_f64()).await
}

/// What a job does when it is asked to end.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Pass,
    Swallow,
    Fail,
}

/// A job: it works, and then succeeds or fails; asked to end, it cleans up first.
#[derive(Clone, Copy, Debug)]
struct Job {
    ms: u64,
    fails: bool,
    cleanup: u64,
    answer: Answer,
}

impl Job {
    /// Counts the requests that it saw.
    async fn run(self, seen: &AtomicUsize) -> Result<u64> {
        if sleep(self.ms).await.is_ok() {
            return if self.fails {
                Err(Error::msg("failed"))
            } else {
                Ok(self.ms)
            };
        }
        seen.fetch_add(1, Ordering::SeqCst);
        if sleep(self.cleanup).await.is_err() {
            seen.fetch_add(1, Ordering::SeqCst);
            return Err(Error::Cancelled);
        }
        match self.answer {
            Answer::Pass => Err(Error::Cancelled),
            Answer::Swallow => Ok(self.ms),
            Answer::Fail => Err(Error::msg("failed to clean up")),
        }
    }
}

/// Few different times, so that many things happen at once.
fn ms() -> impl Strategy<Value = u64> {
    (0..6_u64).prop_map(|tens| tens * 10)
}

fn job() -> impl Strategy<Value = Job> {
    let answer = prop_oneof![
        Just(Answer::Pass),
        Just(Answer::Swallow),
        Just(Answer::Fail)
    ];
    (ms(), prop::bool::weighted(0.2), ms(), answer).prop_map(|(ms, fails, cleanup, answer)| Job {
        ms,
        fails,
        cleanup,
        answer,
    })
}

fn jobs() -> impl Strategy<Value = Vec<Job>> {
    prop::collection::vec(job(), 0..8)
}

/// In asyncio's order, or all at once.
fn config() -> impl Strategy<Value = Config> {
    let many = Config {
        scale: 0.01,
        ..Config::new(1.0, Flavor::MultiThread { workers: Some(2) })
    };
    prop_oneof![3 => Just(Config::paused()), 1 => Just(many)]
}

/// Counts those that are inside.
struct Inside<'a>(&'a AtomicUsize);

impl<'a> Inside<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_task_outlives_its_group(
        config in config(),
        jobs in jobs(),
        body in job(),
        cancel_at in prop::option::of(ms()),
    ) {
        let left = aio::run(&config, async move {
            let alive = Arc::new(AtomicUsize::new(0));
            let of_group = Arc::clone(&alive);
            let group = aio::create_task(TaskGroup::run(async move |group| {
                for job in jobs {
                    let alive = Arc::clone(&of_group);
                    group.create_task(async move {
                        let _inside = Inside::enter(&alive);
                        job.run(&AtomicUsize::new(0)).await
                    })?;
                }
                body.run(&AtomicUsize::new(0)).await
            }));
            if let Some(ms) = cancel_at {
                sleep(ms).await?;
                group.cancel();
            }
            let _ = group.await;
            Ok(alive.load(Ordering::SeqCst))
        });
        prop_assert_eq!(left.unwrap(), 0);
    }

    #[test]
    fn no_permit_is_lost(
        config in config(),
        permits in 1..4_usize,
        jobs in prop::collection::vec((job(), prop::option::of(ms())), 0..8),
    ) {
        let (most, free) = aio::run(&config, async move {
            let semaphore = Arc::new(Semaphore::new(permits));
            let inside = Arc::new(AtomicUsize::new(0));
            let most = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = jobs.into_iter().map(|(job, cancel_at)| {
                let (semaphore, inside) = (Arc::clone(&semaphore), Arc::clone(&inside));
                let most = Arc::clone(&most);
                let task = aio::create_task(async move {
                    semaphore.with(async || {
                        let _inside = Inside::enter(&inside);
                        most.fetch_max(inside.load(Ordering::SeqCst), Ordering::SeqCst);
                        job.run(&AtomicUsize::new(0)).await
                    }).await
                });
                let canceller = task.clone();
                aio::create_task(async move {
                    if let Some(ms) = cancel_at {
                        sleep(ms).await?;
                        canceller.cancel();
                    }
                    Ok(())
                });
                task
            }).collect();
            aio::gather_settled(tasks).await?;
            // All permits can be had again, and no more.
            for _ in 0..permits {
                aio::wait_for(acquire(Arc::clone(&semaphore)), 1.0).await?;
            }
            Ok((most.load(Ordering::SeqCst), !semaphore.locked()))
        }).unwrap();
        prop_assert!(most <= permits, "{most} at once");
        prop_assert!(!free, "a permit too many");
    }

    #[test]
    fn a_request_is_answered_once(
        config in config(),
        job in job(),
        depth in 0..4_usize,
        cancel_at in ms(),
    ) {
        let (taken, seen, requests) = aio::run(&config, async move {
            let seen = Arc::new(AtomicUsize::new(0));
            let of_job = Arc::clone(&seen);
            let inner = aio::create_task(async move { job.run(&of_job).await });
            let mut outer = inner.clone();
            for _ in 0..depth {
                outer = aio::create_task(outer.into_future());
            }
            sleep(cancel_at).await?;
            let taken = outer.cancel();
            let _ = outer.await;
            Ok((taken, seen.load(Ordering::SeqCst), inner.cancelling()))
        }).unwrap();
        // Before its first step it sees nothing, and ends.
        prop_assert!(seen <= 1);
        prop_assert!(requests <= 1);
        prop_assert!(taken || seen == 0, "a request that nobody took was seen");
    }

    #[test]
    fn results_come_in_the_order_of_the_arguments(config in config(), times in prop::collection::vec(ms(), 0..12)) {
        let arguments: Vec<_> = times.iter().copied().enumerate().collect();
        let expected = arguments.clone();
        let (gathered, settled) = aio::run(&config, async move {
            let work = async |(number, ms): (usize, u64)| {
                sleep(ms).await?;
                Ok((number, ms))
            };
            let gathered = aio::gather(arguments.clone().into_iter().map(work)).await?;
            let settled = aio::gather_settled(arguments.into_iter().map(work)).await?;
            Ok((gathered, settled.into_iter().collect::<Result<Vec<_>>>()?))
        }).unwrap();
        prop_assert_eq!(&gathered, &expected);
        prop_assert_eq!(&settled, &expected);
    }

    #[test]
    fn as_completed_gives_each_once_and_never_an_earlier_one_later(
        times in prop::collection::vec(ms(), 0..12),
    ) {
        let arguments = times.clone();
        let came = aio::run(&Config::paused(), async move {
            let work = async |ms: u64| {
                sleep(ms).await?;
                Ok(ms)
            };
            let mut completed = aio::as_completed(arguments.into_iter().map(work), None);
            let mut came = Vec::new();
            while let Some(ms) = completed.next().await {
                came.push(ms?);
            }
            Ok(came)
        }).unwrap();
        let mut expected = times;
        expected.sort_unstable();
        prop_assert_eq!(came, expected);
    }

    #[test]
    fn a_limit_leaves_no_request_behind(job in job(), limit in ms(), inner in ms()) {
        let requests = aio::run(&Config::paused(), async move {
            let limits = [limit, inner].map(|ms| Duration::from_millis(ms).as_secs_f64());
            let _ = aio::timeout(limits[0], async |_| {
                aio::timeout(limits[1], async |_| job.run(&AtomicUsize::new(0)).await).await
            })
            .await;
            Ok(aio::current_task().cancelling())
        });
        prop_assert_eq!(requests.unwrap(), 0);
    }
}

async fn acquire(semaphore: Arc<Semaphore>) -> Result<()> {
    semaphore.acquire().await
}
