//! A source that only connects, and tries again when its connection is lost.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use super::{
    Orders, Source,
    connect::{ConnectError, Connection, End},
    endpoint::Endpoint,
};
use crate::frame::{Event, Frame, Gap};

/// How often the person is told when the next attempt is.
const TELL: Duration = Duration::from_secs(1);

/// Attaches to a program that runs already. An error if it does not answer; what happens
/// later is a frame. Where it does not `try_again`, a connection that is lost is the end.
pub async fn attach(endpoint: &Endpoint, try_again: bool) -> Result<Source, ConnectError> {
    let line = Connection::open(endpoint).await?;
    let remote = endpoint.clone();
    Ok(Source::start(move |frames, orders| async move {
        let mut stop = orders.clone();
        let keeper = Keeper::new(remote, try_again, frames, orders);
        tokio::select! {
            _ = keeper.keep(line) => {}
            () = stop.stopped() => {}
        }
    }))
}

/// What can be connected to.
trait Remote: Send {
    /// A connection that has answered.
    type Line: Send;

    /// An error is why not, in words.
    fn open(&self) -> impl Future<Output = Result<Self::Line, String>> + Send;

    /// Makes frames until the connection ends.
    fn watch(
        line: Self::Line,
        frames: &mpsc::Sender<Frame>,
        orders: &mut Orders,
    ) -> impl Future<Output = End> + Send;
}

impl Remote for Endpoint {
    type Line = Connection;

    async fn open(&self) -> Result<Connection, String> {
        let opened = Connection::open(self).await;
        opened.map_err(|error| error.reason().to_owned())
    }

    async fn watch(line: Connection, frames: &mpsc::Sender<Frame>, orders: &mut Orders) -> End {
        line.run(frames, orders).await
    }
}

/// How long to wait before each attempt.
struct Pauses {
    next: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            next: Duration::from_secs(1),
        }
    }
}

impl Pauses {
    const LONGEST: Duration = Duration::from_secs(8);

    fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }
}

/// Keeps a connection to something.
struct Keeper<R> {
    remote: R,
    try_again: bool,
    pauses: Pauses,
    frames: mpsc::Sender<Frame>,
    orders: Orders,
}

/// Nobody reads the frames any more.
struct Unread;

impl<R: Remote> Keeper<R> {
    fn new(remote: R, try_again: bool, frames: mpsc::Sender<Frame>, orders: Orders) -> Self {
        Self {
            remote,
            try_again,
            pauses: Pauses::default(),
            frames,
            orders,
        }
    }

    async fn keep(mut self, mut line: R::Line) -> Result<(), Unread> {
        loop {
            let since = Instant::now();
            let mut orders = self.orders.clone();
            let end = tokio::select! {
                end = R::watch(line, &self.frames, &mut orders) => Some(end),
                () = self.orders.again.notified(), if self.try_again => None,
            };
            // One that is lost again and again is not asked for all that often.
            if since.elapsed() >= Pauses::LONGEST {
                self.pauses = Pauses::default();
            }
            let is_wished = end.is_none();
            let (reason, pause) = match end {
                Some(End::Lost(reason)) => (reason, Some(self.pauses.next())),
                Some(End::Finished) => ("the run is over".to_owned(), None),
                Some(End::Unread) => return Err(Unread),
                None => ("it is to be made anew".to_owned(), Some(Duration::ZERO)),
            };
            if !is_wished {
                let reason = reason.clone();
                let gap = Gap::ConnectionLost { reason };
                self.tell(Event::Gap(gap)).await?;
            }
            if !self.try_again {
                return Ok(());
            }
            line = self.regain(reason, pause).await?;
            self.tell(Event::Anew).await?;
        }
    }

    /// Waits and tries until there is a connection: at first after this pause, or when it is told to.
    async fn regain(
        &mut self,
        mut reason: String,
        pause: Option<Duration>,
    ) -> Result<R::Line, Unread> {
        let lost = Instant::now();
        let mut due = pause.map(|pause| lost + pause);
        loop {
            let Some(at) = due else {
                self.orders.again.notified().await;
                due = Some(Instant::now());
                continue;
            };
            let again = at.saturating_duration_since(Instant::now());
            self.tell_away(&reason, lost, Some(again)).await?;
            let attempt = async {
                if again.is_zero() {
                    return Some(self.remote.open().await);
                }
                tokio::time::sleep(again.min(TELL)).await;
                None
            };
            tokio::select! {
                opened = attempt => match opened {
                    None => {}
                    Some(Ok(line)) => return Ok(line),
                    Some(Err(why)) => {
                        reason = why;
                        due = Some(Instant::now() + self.pauses.next());
                    }
                },
                () = self.orders.again.notified() => due = Some(Instant::now()),
                () = self.orders.give_up.notified() => {
                    due = None;
                    self.tell_away(&reason, lost, None).await?;
                }
            }
        }
    }

    async fn tell_away(
        &self,
        reason: &str,
        lost: Instant,
        again: Option<Duration>,
    ) -> Result<(), Unread> {
        let gap = Gap::Away {
            reason: reason.to_owned(),
            lost: lost.elapsed(),
            again,
        };
        self.tell(Event::Gap(gap)).await
    }

    async fn tell(&self, event: Event) -> Result<(), Unread> {
        let sent = self.frames.send(Frame::here(event)).await;
        sent.map_err(|_| Unread)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use super::*;

    /// What comes of each attempt: a connection that holds so long before it ends in this way, or
    /// why there is none.
    type Script = VecDeque<Result<(Duration, End), &'static str>>;

    /// Attempts as they are written down. Who asks for more is left waiting.
    struct Scripted {
        script: Mutex<Script>,
        begun: Instant,
        /// After how many seconds each was made.
        attempts: mpsc::UnboundedSender<u64>,
    }

    impl Remote for Scripted {
        type Line = (Duration, End);

        async fn open(&self) -> Result<Self::Line, String> {
            let _ = self.attempts.send(self.begun.elapsed().as_secs());
            let next = self.script.lock().expect("nobody panics").pop_front();
            match next {
                Some(answer) => answer.map_err(str::to_owned),
                None => std::future::pending().await,
            }
        }

        async fn watch(line: Self::Line, _: &mpsc::Sender<Frame>, _: &mut Orders) -> End {
            tokio::time::sleep(line.0).await;
            line.1
        }
    }

    fn lost(after: u64) -> (Duration, End) {
        (seconds(after), End::Lost("reset".to_owned()))
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A source whose first connection ends like this.
    fn source(
        first: (Duration, End),
        script: Vec<Result<(Duration, End), &'static str>>,
        try_again: bool,
    ) -> (Source, mpsc::UnboundedReceiver<u64>) {
        let (attempts, made) = mpsc::unbounded_channel();
        let remote = Scripted {
            script: Mutex::new(script.into()),
            begun: Instant::now(),
            attempts,
        };
        let source = Source::start(move |frames, orders| async move {
            let keeper = Keeper::new(remote, try_again, frames, orders);
            let _ = keeper.keep(first).await;
        });
        (source, made)
    }

    /// What the next frame tells, in a few words.
    async fn told(source: &mut Source) -> String {
        let Some(frame) = source.frames.recv().await else {
            return "nothing more".to_owned();
        };
        match frame.event {
            Event::Anew => "anew".to_owned(),
            Event::Gap(Gap::ConnectionLost { reason }) => format!("lost: {reason}"),
            Event::Gap(Gap::Away {
                reason,
                lost,
                again,
            }) => {
                let again = again.map_or("never".to_owned(), |again| again.as_secs().to_string());
                format!("{reason}, {} ago, again {again}", lost.as_secs())
            }
            other => format!("{other:?}"),
        }
    }

    async fn all_told(source: &mut Source, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(told(source).await);
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_bound_and_begin_anew_after_a_connection_that_held() {
        let no = || Err("nothing listens");
        let script = vec![
            no(),
            no(),
            no(),
            no(),
            no(),
            Ok(lost(2)),
            Ok(lost(60)),
            Ok(lost(1)),
        ];
        let (mut source, mut made) = source(lost(10), script, true);
        let reader = tokio::spawn(async move { while source.frames.recv().await.is_some() {} });
        let mut times = Vec::new();
        for _ in 0..8 {
            times.push(made.recv().await.expect("an attempt"));
        }
        reader.abort();
        // Lost at 10: after 1, 2, 4, 8, 8 and 8 s. Lost after 2 s at 43: 8 s. After 60 s at 111: 1 s.
        assert_eq!(times, [11, 13, 17, 25, 33, 41, 51, 112]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_meanwhile_is_told_each_second() {
        let script = vec![Err("nothing listens"), Ok(lost(60))];
        let (mut source, _made) = source(lost(10), script, true);
        assert_eq!(
            all_told(&mut source, 8).await,
            [
                "lost: reset",
                "reset, 0 ago, again 1",
                "reset, 1 ago, again 0",
                "nothing listens, 1 ago, again 2",
                "nothing listens, 2 ago, again 1",
                "nothing listens, 3 ago, again 0",
                "anew",
                "lost: reset",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_can_hurry_it_give_it_up_and_ask_for_it_again() {
        let no = || Err("nothing listens");
        let script = vec![no(), no(), Ok(lost(60))];
        let (mut source, mut made) = source(lost(10), script, true);
        assert_eq!(
            all_told(&mut source, 2).await,
            ["lost: reset", "reset, 0 ago, again 1"]
        );
        // It waits for its pause, or for a word.
        tokio::task::yield_now().await;
        source.connect_again();
        assert_eq!(made.recv().await, Some(10));
        assert_eq!(
            all_told(&mut source, 2).await,
            ["reset, 0 ago, again 0", "nothing listens, 0 ago, again 2"]
        );
        tokio::task::yield_now().await;
        source.give_up();
        assert_eq!(
            told(&mut source).await,
            "nothing listens, 0 ago, again never"
        );
        let quiet = tokio::time::timeout(seconds(3_600), source.frames.recv()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        source.connect_again();
        assert_eq!(made.recv().await, Some(3_610));
        assert_eq!(
            all_told(&mut source, 2).await,
            [
                "nothing listens, 3600 ago, again 0",
                "nothing listens, 3600 ago, again 4"
            ]
        );
        source.connect_again();
        assert_eq!(
            all_told(&mut source, 2).await,
            ["nothing listens, 3600 ago, again 0", "anew"]
        );
        // One that holds can be made anew, too: nobody has lost it.
        assert_eq!(made.recv().await, Some(3_610));
        tokio::task::yield_now().await;
        source.connect_again();
        assert_eq!(
            told(&mut source).await,
            "it is to be made anew, 0 ago, again 0"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_over_is_not_tried_again_unless_a_person_asks() {
        let first = (seconds(1), End::Finished);
        let (mut source, mut made) = source(first, vec![Ok(lost(60))], true);
        assert_eq!(told(&mut source).await, "lost: the run is over");
        let quiet = tokio::time::timeout(seconds(3_600), source.frames.recv()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        assert!(made.try_recv().is_err());
        source.connect_again();
        assert_eq!(
            all_told(&mut source, 2).await,
            ["the run is over, 3600 ago, again 0", "anew"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_try_again_ends() {
        let (mut source, mut made) = source(lost(1), Vec::new(), false);
        assert_eq!(
            all_told(&mut source, 2).await,
            ["lost: reset", "nothing more"]
        );
        assert!(made.try_recv().is_err());
    }
}
