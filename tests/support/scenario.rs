//! Stories of an instrumented program, as text, and the frames that it would have sent.
//!
//! A scenario is a list of lines: first the settings, then what happens and when. Options
//! come last on a line, in any order; `#` begins a comment.
//!
//! ```text
//! target gather workload            # or: NAME program, or: http://127.0.0.1:6669 attached
//! instrument probe                  # or: console-subscriber, which sends console frames only
//! runtime current-thread            # or: multi-thread 4
//! publish 50ms                      # an update is sent at 0, 50ms, 100ms, …
//! watched from 500ms                # nothing is sent before: the program ran already
//! first probe                       # of two messages at one time, the probe's comes first
//!
//! TIME  block_on TASK                  the future given to `block_on`
//! TIME  spawn TASK [as local]          a task; options: by TASK, in SCOPE, at FILE:LINE,
//!                                      unnamed, reusing TASK (which is gone: its span id),
//!                                      runtime N (1 if not said), sized BYTES (256),
//!                                      boxed from BYTES
//! TIME  call TASK                      a closure for the blocking pool; the same options
//! TIME  stand-in WORKER by TASK        a worker in the place of that which polls the task
//! TIME  poll TASK [FOR] [ends OUTCOME ["TEXT"]] [on THREAD] [forgets]
//!                                      a poll; without FOR it goes on until; something
//!                                      keeps its waker then, unless it forgets it
//! TIME  end TASK [OUTCOME ["TEXT"]]    … its end
//! TIME  run CALL FOR                   `poll CALL FOR ends ok`
//! TIME  wake TASK [itself|by TASK] [N times]   its waker is called; one that has ended wakes
//!                                      who awaits its end
//! TIME  kept-off THREAD FOR            the system ran others, so long of the time until now
//! TIME  drop TASK|TIMER                aborted, or dropped unfinished
//! TIME  join TASK TASK                 the first awaits the end of the second
//!
//! TIME  sleep TASK FOR [as TIMER]      made and first polled by the task; options: at
//!                                      FILE:LINE, kept (not dropped when it has fired),
//!                                      unpolled (made, to be polled in the next poll)
//! TIME  timeout TASK FOR [as TIMER]    the sleep in a time limit
//! TIME  interval TASK PERIOD [as TIMER]   its first tick is at once, the next one awaited
//! TIME  reset TIMER FOR                and polled again
//! TIME  fire TASK|TIMER                the driver wakes the task, whose next poll finds the
//!                                      timer elapsed; a TASK names its only timer
//!
//! TIME  resource NAME TYPE [COUNT] [at FILE:LINE]   Mutex, RwLock, Semaphore, OnceCell,
//!                                      Barrier, mpsc, oneshot; COUNT is how many permits,
//!                                      tasks or messages, 1 if not said
//! TIME  set RESOURCE ATTRIBUTE VALUE
//! TIME  await TASK RESOURCE [shared]   polled and not to be had yet; shared: to read
//! TIME  got TASK RESOURCE [shared]     polled and had, at once if it was not awaited
//! TIME  try TASK RESOURCE              had by `try_lock`
//! TIME  release TASK RESOURCE          the task drops a guard, be it another's, and who
//!                                      waits is let in; what ends drops its own
//! TIME  forget TASK RESOURCE           its guards of it are never dropped, not even when it ends
//! TIME  receive TASK RESOURCE          the task takes a message out of a channel
//! TIME  drop RESOURCE
//!
//! TIME  open SCOPE KIND [by TASK] [in SCOPE] [named "TEXT"] [at FILE:LINE]
//! TIME  close SCOPE OUTCOME
//!
//! TIME  output "TEXT" · stderr "TEXT"  a line that the program wrote
//! TIME  details TASK                   its histograms are sent
//! TIME  lost COUNT                     events that the instrument dropped
//! TIME  lost-polls COUNT               polls that the probe could not tell
//! TIME  paused · resumed               somebody did that to the instrument, for everyone
//! TIME  unreachable FOR                no endpoint has answered for this long
//! TIME  gap "REASON"                   the connection is lost …
//! TIME  away FOR                       … for so long, and is tried again a second later …
//! TIME  connect [anew]                 … and made again: everything is sent again; anew: that
//!                                      what was told before no longer holds is told first
//! TIME  end                            the program says that its run is over
//! TIME  exit CODE · exit signal N      its process has ended
//! TIME  expect SUBJECT FACT, FACT, …   see `expect.rs`
//! until TIME                           nothing more happens, but updates are sent
//! ```
//!
//! OUTCOME is ok, error, cancelled, panicked, `timed_out` or
//! unknown. Times are since the program's
//! start and do not go back; a time or a FOR is a number with ns, us, ms, s or min.
//! THREAD is main, worker-1, … or blocking-1, …; tasks run on `main`, or on `worker-1` of
//! a multi-thread runtime, and calls on the first blocking thread that is free.
//!
//! What happens at the time of an update is in it. What a task does — spawn, sleep, await,
//! … — it does between the beginning and the end of one of its polls.

use std::{fs, path::PathBuf, time::Duration};

use loopview::{
    frame::{Event, Exit, Frame, Gap, Line, Stream, Target, TargetKind, Time},
    model::Model,
};

use loopview_api::v1::{Outcome, TimerKind};

use super::{
    expect::Expectation,
    program::{Kind, Names, Program, Spawn},
    words::{self, Words},
};

/// When every scenario's program started.
pub const START: Time = Time::from_nanos(1_735_689_600 * 1_000_000_000);

/// A story that has been told.
#[derive(Debug)]
pub struct Scenario {
    pub target: Target,
    pub frames: Vec<Frame>,
    pub expectations: Vec<Expectation>,
    /// What the names in the story stand for.
    pub names: Names,
}

impl Scenario {
    /// The story in `tests/scenarios/NAME.txt`.
    pub fn load(name: &str) -> Self {
        let path = Self::folder().join(name).with_extension("txt");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
    }

    /// An error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut story = Story::new();
        for (number, line) in (1..).zip(text.lines()) {
            story
                .line(number, line)
                .map_err(|e| format!("line {number}: {e}"))?;
        }
        story.advance_to_next_update();
        Ok(Self {
            target: story.target,
            frames: story.frames,
            expectations: story.expectations,
            names: story.program.names,
        })
    }

    /// The model after the whole story.
    pub fn model(&self) -> Model {
        self.model_at(Duration::MAX)
    }

    /// The model as of a time since the start.
    pub fn model_at(&self, at: Duration) -> Model {
        let mut model = Model::new(self.target.clone());
        for frame in self.frames.iter().filter(|f| f.at <= START + at) {
            model.apply(frame);
        }
        model
    }
}

/// The teller: reads lines and keeps the program's time.
struct Story {
    target: Target,
    with_probe: bool,
    probe_first: bool,
    publish: Duration,
    now: Time,
    next_update: Time,
    /// Nobody listens, or nobody is there to speak.
    silent: bool,
    /// Polls that end by themselves.
    ends: Vec<(Time, String, Option<Ending>)>,
    program: Program,
    frames: Vec<Frame>,
    expectations: Vec<Expectation>,
}

type Ending = (Outcome, String);

impl Story {
    fn new() -> Self {
        Self {
            target: Target {
                name: "story".to_owned(),
                kind: TargetKind::Program,
            },
            with_probe: true,
            probe_first: false,
            publish: Duration::from_millis(50),
            now: START,
            next_update: START,
            silent: false,
            ends: Vec::new(),
            program: Program::new(START),
            frames: Vec::new(),
            expectations: Vec::new(),
        }
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let mut words = Words::of(line)?;
        if words.is_empty() {
            return Ok(());
        }
        if words.peek().is_some_and(words::is_time) {
            let at = START + words.duration("a time")?;
            if at < self.now {
                return Err("time goes back".to_owned());
            }
            self.advance(at);
            let verb = words.next("what happens")?;
            if verb == "expect" {
                self.expectations.push(Expectation {
                    line: number,
                    at: at.since(START),
                    words: words.rest(),
                });
                return Ok(());
            }
            self.happens(&verb, &mut words)?;
        } else {
            let setting = words.next("a setting")?;
            self.set(&setting, &mut words)?;
        }
        words.done()
    }

    fn set(&mut self, setting: &str, words: &mut Words) -> Result<(), String> {
        match setting {
            "target" => {
                self.target.name = words.next("a name")?;
                self.target.kind = match words.next("a kind of target")?.as_str() {
                    "workload" => TargetKind::Workload,
                    "program" => TargetKind::Program,
                    "attached" => TargetKind::Attached,
                    other => return Err(format!("`{other}` is no kind of target")),
                };
            }
            "instrument" => {
                self.with_probe = match words.next("an instrument")?.as_str() {
                    "probe" => true,
                    "console-subscriber" => false,
                    other => return Err(format!("`{other}` is no instrument")),
                };
            }
            "runtime" => match words.next("a flavor")?.as_str() {
                "current-thread" => {}
                "multi-thread" => self.program.set_workers(words.number("how many workers")?),
                other => return Err(format!("`{other}` is no flavor")),
            },
            "publish" => self.publish = words.duration("an interval")?,
            "watched" => {
                words.expect("from")?;
                self.next_update = START + words.duration("a time")?;
            }
            "first" => {
                words.expect("probe")?;
                self.probe_first = true;
            }
            "until" => {
                let at = START + words.duration("a time")?;
                self.advance(at);
            }
            other => return Err(format!("`{other}` is neither a time nor a setting")),
        }
        Ok(())
    }

    /// Lets the polls end and sends the updates that come before `at`.
    fn advance(&mut self, at: Time) {
        loop {
            let end = self.ends.iter().map(|(end, ..)| *end).min();
            match end.filter(|end| *end <= at) {
                Some(end) if end <= self.next_update || self.silent => {
                    self.end_polls(end);
                }
                _ if self.next_update < at && !self.silent => self.update(self.next_update),
                Some(end) => self.end_polls(end),
                None => break,
            }
        }
        while self.next_update < at {
            self.next_update = self.next_update + self.publish;
        }
        self.now = at;
    }

    fn end_polls(&mut self, at: Time) {
        let (over, on): (Vec<_>, Vec<_>) = std::mem::take(&mut self.ends)
            .into_iter()
            .partition(|(end, ..)| *end == at);
        self.ends = on;
        // What began last ends first: polls are nested.
        for (at, task, ending) in over.into_iter().rev() {
            self.program
                .end_poll(at, &task, ending)
                .expect("a poll that began can end");
        }
    }

    fn advance_to_next_update(&mut self) {
        let at = self.next_update;
        self.advance(at);
        if !self.silent {
            self.update(at);
        }
    }

    fn update(&mut self, at: Time) {
        let polls = Event::Probe(Box::new(self.program.polls_update(at)));
        if self.with_probe && at > START {
            self.frames.push(Frame::new(at, polls));
        }
        let console = Event::Console(Box::new(self.program.console_update(at)));
        self.frames.push(Frame::new(at, console));
        if self.with_probe {
            let probe = Event::Probe(Box::new(self.program.probe_update(at, self.publish)));
            self.frames.push(Frame::new(at, probe));
            if self.probe_first {
                let last = self.frames.len() - 1;
                self.frames.swap(last - 1, last);
            }
        }
        if self.next_update <= at {
            self.next_update = at + self.publish;
        }
    }

    fn tell(&mut self, event: Event) {
        self.frames.push(Frame::new(self.now, event));
    }

    fn happens(&mut self, verb: &str, words: &mut Words) -> Result<(), String> {
        let now = self.now;
        match verb {
            "block_on" => self.spawn(Kind::BlockOn, words),
            "spawn" => self.spawn(Kind::Task, words),
            "call" => self.spawn(Kind::Blocking, words),
            "stand-in" => self.spawn(Kind::StandIn, words),
            "poll" => self.poll(words),
            "run" => {
                let task = words.next("a call")?;
                let lasts = words.duration("how long it runs")?;
                self.program.start_poll(now, &task, None)?;
                let ok = (Outcome::Ok, String::new());
                self.ends.push((now + lasts, task, Some(ok)));
                Ok(())
            }
            "end" if words.is_empty() => {
                self.program.end_run(now);
                self.update(now);
                Ok(())
            }
            "end" => {
                let task = words.next("a task")?;
                let ending = (!words.is_empty()).then(|| words.outcome()).transpose()?;
                self.program.end_poll(now, &task, ending)
            }
            "wake" => {
                let task = words.next("a task")?;
                let itself = words.take("itself");
                let by = words.take("by").then(|| words.next("a task")).transpose()?;
                let times = words.times()?;
                (0..times).try_for_each(|_| self.program.wake(now, &task, itself, by.clone()))
            }
            "kept-off" => self.keep_off(words),
            "drop" => self.program.drop(now, &words.next("a task or a timer")?),
            "join" => {
                let task = words.next("a task")?;
                let other = words.next("another task")?;
                self.program.join(now, &task, &other)
            }
            "sleep" => self.timer(TimerKind::Sleep, words),
            "timeout" => self.timer(TimerKind::Timeout, words),
            "interval" => self.timer(TimerKind::Interval, words),
            "reset" => {
                let timer = words.next("a timer")?;
                let lasts = words.duration("how long")?;
                self.program.reset(now, &timer, lasts)
            }
            "fire" => self.program.fire(now, &words.next("a task or a timer")?),
            "resource" => {
                let name = words.next("a name")?;
                let concrete_type = words.next("a type")?;
                let counts = words.peek().is_some_and(|w| w.parse::<u64>().is_ok());
                let count = if counts { words.number("how many")? } else { 1 };
                let options = words.options()?;
                self.program
                    .resource(now, &name, &concrete_type, count, options)
            }
            "set" => {
                let resource = words.next("a resource")?;
                let attribute = words.next("an attribute")?;
                let value = words.number("a value")?;
                self.program.set_attribute(&resource, &attribute, value)
            }
            "await" => {
                let task = words.next("a task")?;
                let resource = words.next("a resource")?;
                let shared = words.take("shared");
                self.program.await_resource(now, &task, &resource, shared)
            }
            "got" => {
                let task = words.next("a task")?;
                let resource = words.next("a resource")?;
                let shared = words.take("shared");
                self.program.got_resource(now, &task, &resource, shared)
            }
            "try" | "release" | "forget" | "receive" => {
                let does = match verb {
                    "try" => Program::try_resource,
                    "release" => Program::release,
                    "forget" => Program::forget,
                    _ => Program::receive,
                };
                let task = words.next("a task")?;
                let resource = words.next("a resource")?;
                does(&mut self.program, now, &task, &resource)
            }
            "open" => {
                let scope = words.next("a scope")?;
                let kind = words.next("a kind of scope")?;
                let options = words.options()?;
                self.program.open(now, &scope, &kind, options)
            }
            "close" => {
                let scope = words.next("a scope")?;
                let (outcome, _) = words.outcome()?;
                self.program.close(now, &scope, outcome)
            }
            _ => self.seen_from_outside(verb, words),
        }
    }

    fn seen_from_outside(&mut self, verb: &str, words: &mut Words) -> Result<(), String> {
        match verb {
            "output" | "stderr" => {
                let line = Line {
                    stream: if verb == "output" {
                        Stream::Stdout
                    } else {
                        Stream::Stderr
                    },
                    text: words.next("a text")?,
                    cut: 0,
                };
                self.tell(Event::Output(line));
            }
            "details" => {
                let details = self.program.details(self.now, &words.next("a task")?)?;
                self.tell(Event::Details(Box::new(details)));
            }
            "paused" | "resumed" => self.tell(Event::Paused(verb == "paused")),
            "lost" => self.program.lose(words.number("how many")?),
            "lost-polls" => self.program.lose_polls(words.number("how many")?),
            "unreachable" => {
                let waited = words.duration("how long")?;
                self.tell(Event::Gap(Gap::NoEndpoint { waited }));
            }
            "gap" => {
                let reason = words.next("a reason")?;
                self.silent = true;
                self.tell(Event::Gap(Gap::ConnectionLost { reason }));
            }
            "away" => {
                let reason = "nothing listens there".to_owned();
                let lost = words.duration("how long")?;
                let again = Some(Duration::from_secs(1));
                self.tell(Event::Gap(Gap::Away {
                    reason,
                    lost,
                    again,
                }));
            }
            "connect" => {
                self.silent = false;
                if words.take("anew") {
                    self.tell(Event::Anew);
                }
                self.program.welcome();
                self.update(self.now);
            }
            "exit" => {
                let exit = if words.take("signal") {
                    Exit::Signal(words.number("a signal")?)
                } else {
                    Exit::Code(words.number("a code")?)
                };
                self.silent = true;
                self.tell(Event::Exit(exit));
            }
            other => return Err(format!("nothing is called `{other}`")),
        }
        Ok(())
    }

    fn spawn(&mut self, kind: Kind, words: &mut Words) -> Result<(), String> {
        let name = words.next("a name")?;
        let options = words.options()?;
        let kind = match options.name.as_deref() {
            None => kind,
            Some("local") => Kind::Local,
            Some(other) => return Err(format!("`{other}` is no kind of task")),
        };
        self.program.spawn(
            self.now,
            Spawn {
                name,
                kind,
                options,
            },
        )
    }

    fn timer(&mut self, kind: TimerKind, words: &mut Words) -> Result<(), String> {
        let task = words.next("a task")?;
        let lasts = words.duration("how long")?;
        let options = words.options()?;
        self.program.timer(self.now, kind, &task, lasts, options)
    }

    fn keep_off(&mut self, words: &mut Words) -> Result<(), String> {
        let thread = words.next("a thread")?;
        let time = words.duration("how long")?;
        self.program.keep_off(&thread, time);
        Ok(())
    }

    fn poll(&mut self, words: &mut Words) -> Result<(), String> {
        let task = words.next("a task")?;
        let lasts = words
            .peek()
            .is_some_and(words::is_time)
            .then(|| words.duration("how long"))
            .transpose()?;
        let (mut ending, mut thread, mut forgets) = (None, None, false);
        while !words.is_empty() {
            match words.next("an option")?.as_str() {
                "ends" => ending = Some(words.outcome()?),
                "on" => thread = Some(words.next("a thread")?),
                "forgets" => forgets = true,
                other => return Err(format!("`{other}` is no option of a poll")),
            }
        }
        self.program.start_poll(self.now, &task, thread)?;
        if forgets {
            self.program.forget_waker(&task)?;
        }
        match lasts {
            Some(lasts) => self.ends.push((self.now + lasts, task, ending)),
            None if ending.is_some() => {
                return Err("a poll that goes on: say how it ends with `end`".to_owned());
            }
            None => {}
        }
        Ok(())
    }
}
