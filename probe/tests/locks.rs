//! Who holds a lock, or permits, is told truly.

mod support;

use std::{collections::HashMap, process::ExitCode, sync::Arc};

use loopview_api::v1;
use support::{
    Own, Program,
    clients::Stream,
    number,
    program::{tell, wait},
    spawn, watch,
};
use tokio::{
    runtime::Builder,
    sync::{Mutex, Notify, RwLock, Semaphore, mpsc, oneshot},
    task::{AbortHandle, yield_now},
};

fn main() -> ExitCode {
    support::main(
        named![
            a_lock_has_the_holder_who_has_its_guard,
            permits_have_several_holders,
            readers_share_a_lock,
            who_gives_up_holds_nothing,
            a_lock_that_many_fight_for_is_free_in_the_end,
            who_receives_makes_room_in_a_channel,
        ],
        named![mutex, permits, readers, gives_up, fight, receives],
    )
}

/// Made visible, and watched, before it begins.
fn observed() {
    loopview_probe::init();
    tell("ready", "");
    wait();
}

fn on_one_thread(program: impl Future) {
    observed();
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(program);
    wait();
}

/// In the program: what was begun has been done, as far as it can be. The test looks at it.
async fn look(what: &str) {
    for _ in 0..10 {
        yield_now().await;
    }
    tell(&key(what), "");
    wait();
}

/// What is told is a word and its value.
fn key(what: &str) -> String {
    format!("when-{}", what.replace(' ', "-"))
}

/// Holds what `get` gives until it is told to go on, and tells its number.
fn holder<G: Send + 'static>(
    name: &'static str,
    go_on: &Arc<Notify>,
    get: impl Future<Output = G> + Send + 'static,
) {
    let go_on = Arc::clone(go_on);
    spawn_told(name, async move {
        let guard = get.await;
        go_on.notified().await;
        drop(guard);
    });
}

fn spawn_told(name: &str, future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    let task = spawn(name, future);
    tell(name, number(task.id()));
    task.abort_handle()
}

/// The test's side: a program and what its client knows.
struct Observed {
    program: Program,
    own: Stream<Own>,
    /// The numbers of its tasks, once they are told.
    tasks: HashMap<&'static str, u64>,
}

impl Observed {
    async fn start(name: &str) -> Self {
        let mut program = Program::start(name, &[]);
        program.told("ready");
        let own = Own::watch(program.socket(), false).await;
        program.go_on();
        Self {
            program,
            own,
            tasks: HashMap::new(),
        }
    }

    /// Until the first lock or semaphore that the program made is held by these tasks, with
    /// so many permits each.
    async fn until_held(&mut self, holders: &[(&'static str, u64)]) -> v1::Resource {
        let Self { program, tasks, .. } = self;
        let mut number = |name| *tasks.entry(name).or_insert_with(|| program.number(name));
        let holders = holders.iter();
        let holders: Vec<_> = holders.map(|(name, n)| (Some(number(name)), *n)).collect();
        let first = |seen: &Own| {
            let span = seen.resources.keys().min()?;
            seen.resources.get(span).cloned()
        };
        let is_so = |seen: &Own| {
            first(seen).is_some_and(|lock| {
                let held = lock.holders.iter().map(|hold| (hold.task, hold.permits));
                held.collect::<Vec<_>>() == holders
            })
        };
        let so = tokio::time::timeout(support::LIMIT, self.own.until(is_so)).await;
        assert!(so.is_ok(), "{:?} for {holders:?}", self.own.known.resources);
        first(&self.own.known).expect("just seen")
    }
}

fn mutex() {
    on_one_thread(async {
        let lock = Arc::new(Mutex::new(()));
        let [one, two] = [Arc::default(), Arc::default()];
        holder("a", &one, Arc::clone(&lock).lock_owned());
        look("a has it").await;
        holder("b", &two, Arc::clone(&lock).lock_owned());
        look("b waits").await;
        one.notify_one();
        look("b has it").await;
        two.notify_one();
        look("nobody has it").await;
        let go_on = Arc::default();
        let same = Arc::clone(&lock);
        let tries = async { same.try_lock_owned().expect("it is free") };
        holder("c", &go_on, tries);
        look("c has it").await;
        go_on.notify_one();
        look("it is free").await;
    });
}

fn a_lock_has_the_holder_who_has_its_guard() {
    watch(async {
        let mut seen = Observed::start("mutex").await;
        seen.program.told(&key("a has it"));
        let lock = seen.until_held(&[("a", 1)]).await;
        let since = lock.holders[0].since;
        seen.program.go_on();
        seen.program.told(&key("b waits"));
        assert_eq!(seen.until_held(&[("a", 1)]).await.holders[0].since, since);
        seen.program.go_on();
        seen.program.told(&key("b has it"));
        let lock = seen.until_held(&[("b", 1)]).await;
        assert_ne!(lock.holders[0].since, since);
        seen.program.go_on();
        seen.program.told(&key("nobody has it"));
        seen.until_held(&[]).await;
        seen.program.go_on();
        seen.program.told(&key("c has it"));
        seen.until_held(&[("c", 1)]).await;
        seen.program.go_on();
        seen.program.told(&key("it is free"));
        assert!(!seen.until_held(&[]).await.guessed);
        seen.program.go_on();
    });
}

fn permits() {
    on_one_thread(async {
        let pool = Arc::new(Semaphore::new(3));
        let [one, two, three] = [Arc::default(), Arc::default(), Arc::default()];
        holder("a", &one, Arc::clone(&pool).acquire_many_owned(2));
        holder("b", &two, Arc::clone(&pool).acquire_owned());
        look("a and b").await;
        // It is given one of two, which it holds while it waits for the other.
        holder("c", &three, Arc::clone(&pool).acquire_many_owned(2));
        look("c waits").await;
        two.notify_one();
        look("c has one").await;
        one.notify_one();
        look("c has two").await;
        three.notify_one();
        let (hand, handed) = std::sync::mpsc::channel();
        let all = Arc::clone(&pool).acquire_many_owned(3);
        spawn_told("d", async move {
            let permits = all.await;
            hand.send(permits).expect("it is taken");
        });
        look("d").await;
        spawn_told("e", async move { drop(handed.recv()) });
        look("nobody").await;
    });
}

fn permits_have_several_holders() {
    watch(async {
        let mut seen = Observed::start("permits").await;
        for (when, holders) in [
            ("a and b", &[("a", 2), ("b", 1)][..]),
            ("c waits", &[("a", 2), ("b", 1)]),
            ("c has one", &[("a", 2), ("c", 1)]),
            ("c has two", &[("c", 2)]),
            ("d", &[("d", 3)]),
            ("nobody", &[]),
        ] {
            seen.program.told(&key(when));
            let told = seen.until_held(holders).await;
            assert!(!told.guessed && told.other_permits == 0, "{told:?}");
            seen.program.go_on();
        }
    });
}

fn readers() {
    on_one_thread(async {
        let lock = Arc::new(RwLock::with_max_readers((), 8));
        let [one, two, three] = [Arc::default(), Arc::default(), Arc::default()];
        holder("a", &one, Arc::clone(&lock).read_owned());
        holder("b", &two, Arc::clone(&lock).read_owned());
        look("two read").await;
        one.notify_one();
        two.notify_one();
        holder("c", &three, Arc::clone(&lock).write_owned());
        look("one writes").await;
        three.notify_one();
        look("nobody").await;
    });
}

fn readers_share_a_lock() {
    watch(async {
        let mut seen = Observed::start("readers").await;
        for (when, holders) in [
            ("two read", &[("a", 1), ("b", 1)][..]),
            ("one writes", &[("c", 8)]),
            ("nobody", &[]),
        ] {
            seen.program.told(&key(when));
            assert!(!seen.until_held(holders).await.guessed);
            seen.program.go_on();
        }
    });
}

fn gives_up() {
    on_one_thread(async {
        let pool = Arc::new(Semaphore::new(1));
        let [one, two] = [Arc::default(), Arc::default()];
        holder("a", &one, Arc::clone(&pool).acquire_owned());
        look("a").await;
        let waits = spawn_told("b", {
            let pool = Arc::clone(&pool);
            async move { drop(pool.acquire_owned().await) }
        });
        holder("c", &two, Arc::clone(&pool).acquire_owned());
        look("b and c wait").await;
        // `b` is given the permit and dropped before it can take it: `c` is next.
        one.notify_one();
        yield_now().await;
        waits.abort();
        look("c").await;
    });
}

fn who_gives_up_holds_nothing() {
    watch(async {
        let mut seen = Observed::start("gives_up").await;
        for (when, holders) in [
            ("a", &[("a", 1)]),
            ("b and c wait", &[("a", 1)]),
            ("c", &[("c", 1)]),
        ] {
            seen.program.told(&key(when));
            assert!(!seen.until_held(holders).await.guessed);
            seen.program.go_on();
        }
    });
}

fn fight() {
    observed();
    let runtime = Builder::new_multi_thread().worker_threads(4).build();
    runtime.expect("a runtime").block_on(async {
        let lock = Arc::new(Mutex::new(0_u32));
        let tasks = ["a", "b", "c", "d"].map(|name| {
            let lock = Arc::clone(&lock);
            spawn(name, async move {
                for _ in 0..2_000 {
                    *lock.lock().await += 1;
                }
            })
        });
        for task in tasks {
            task.await.expect("it does not panic");
        }
        tell("count", *lock.lock().await);
        wait();
    });
}

fn a_lock_that_many_fight_for_is_free_in_the_end() {
    watch(async {
        let mut seen = Observed::start("fight").await;
        assert_eq!(seen.program.number("count"), 8_000);
        let told = seen.until_held(&[]).await;
        assert!(!told.guessed && told.other_permits == 0, "{told:?}");
        seen.program.go_on();
    });
}

fn receives() {
    on_one_thread(async {
        let (sender, mut receiver) = mpsc::channel(1);
        spawn_told("a", async move {
            for number in 0..2 {
                sender.send(number).await.expect("somebody receives");
            }
            sender.closed().await;
        });
        look("a waits").await;
        let (hand, handed) = oneshot::channel();
        spawn_told("b", async move {
            receiver.recv().await;
            let _ = hand.send(receiver);
        });
        look("b").await;
        // There is another message, and nobody waits for room.
        spawn_told("c", async move {
            let mut receiver = handed.await.expect("it is handed over");
            receiver.recv().await;
            receiver.recv().await;
        });
        look("c").await;
    });
}

fn who_receives_makes_room_in_a_channel() {
    watch(async {
        let mut seen = Observed::start("receives").await;
        seen.program.told(&key("a waits"));
        assert_eq!(seen.until_held(&[]).await.receiver, None);
        seen.program.go_on();
        for name in ["b", "c"] {
            seen.program.told(&key(name));
            let task = Some(seen.program.number(name));
            let receives = |own: &Own| own.resources.values().any(|told| told.receiver == task);
            let told = tokio::time::timeout(support::LIMIT, seen.own.until(receives)).await;
            assert!(told.is_ok(), "{:?}", seen.own.known.resources);
            seen.program.go_on();
        }
    });
}
