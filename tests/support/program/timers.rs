//! Sleeps, time limits and intervals, and what tokio and the instruments say of them.

use std::time::Duration;

use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Program, Result,
    send::{Seen, Sent, duration, poll_op, timestamp},
};
use crate::support::words::Options;

pub struct Timer {
    pub wire: Sent<v1::Timer>,
    pub span: u64,
    pub owner: usize,
    /// As tokio writes it: an interval's sleep has tokio's own.
    pub location: (String, u32),
    pub created: Time,
    pub dropped: Option<Time>,
    /// What tokio tells when it is armed: whole milliseconds.
    pub duration: Option<Duration>,
    pub seen: Seen,
    state: State,
    /// When it should fire; the driver does that at the next whole millisecond.
    due: Time,
    kept: bool,
    /// The async op that console-subscriber knows its polls by.
    op: Option<usize>,
    interval: Option<Interval>,
    late: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not polled since it was made or, in an interval, since its last tick.
    New,
    Armed,
    /// The driver has woken its task.
    Elapsed,
    /// A poll has found it elapsed.
    Fired,
}

#[derive(Clone, Copy)]
struct Interval {
    /// Of its resource.
    span: u64,
    period: Duration,
}

impl Program {
    fn timer_named(&self, name: &str) -> Result<usize> {
        if let Some(timer) = self.names.timers.get(name) {
            return Ok(*timer);
        }
        let timers = &self.tasks[self.task(name)?].timers;
        let mut waiting = timers
            .iter()
            .filter(|t| self.timers[**t].state != State::Fired);
        match (waiting.next(), waiting.next()) {
            (Some(timer), None) => Ok(*timer),
            (None, _) => Err(format!("`{name}` has no timer that waits")),
            _ => Err(format!("`{name}` has several timers: say which")),
        }
    }

    pub fn timer(
        &mut self,
        at: Time,
        kind: v1::TimerKind,
        owner: &str,
        lasts: Duration,
        options: Options,
    ) -> Result {
        let owner = self.polled_task(at, owner)?;
        let index = self.timers.len();
        if let Some(name) = options.name
            && self.names.timers.insert(name.clone(), index).is_some()
        {
            return Err(format!("there is a timer `{name}` already"));
        }
        let place = options.location.unwrap_or(("src/main.rs".to_owned(), 1));
        let interval = (kind == v1::TimerKind::Interval).then(|| {
            let resource = self.push_resource(at, "Interval", place.clone(), None);
            Interval {
                span: self.resources[resource].span,
                period: lasts,
            }
        });
        let span = self.new_span();
        let wire = v1::Timer {
            span_id: span,
            id: index as u64 + 1,
            kind: kind.into(),
            task: Some(self.tasks[owner].fact.value.id),
            created_at: Some(timestamp(at)),
            location: Some(v1::Location {
                file: place.0.clone(),
                line: place.1,
                column: 5,
            }),
            ..v1::Timer::default()
        };
        let in_tokio = ("/tokio-1.54.1/src/time/interval.rs".to_owned(), 135);
        self.tasks[owner].timers.push(index);
        self.timers.push(Timer {
            wire: Sent::new(wire),
            span,
            owner,
            location: interval.map_or(place, |_| in_tokio),
            created: at,
            dropped: None,
            duration: None,
            seen: Seen::new(),
            state: State::New,
            due: interval.map_or(at + lasts, |_| at),
            kept: options.kept,
            op: None,
            interval,
            late: Duration::ZERO,
        });
        self.begin_tick(at, index);
        if !options.unpolled {
            self.poll_timer(at, index);
        }
        Ok(())
    }

    pub fn reset(&mut self, at: Time, name: &str, lasts: Duration) -> Result {
        let index = self.timer_named(name)?;
        let Timer {
            span, owner, op, ..
        } = self.timers[index];
        if self.timers[index].interval.is_none() {
            if let Some(op) = op {
                self.drop_op(at, op);
            }
            self.timers[index].op = Some(self.push_op(at, span, "Sleep::reset", None, owner));
        }
        self.timers[index].due = at + lasts;
        self.arm(at, index);
        self.poll_timer(at, index);
        Ok(())
    }

    pub fn fire(&mut self, at: Time, name: &str) -> Result {
        let index = self.timer_named(name)?;
        let timer = &mut self.timers[index];
        let started = self.started;
        if timer.state != State::Armed || at < started + ceil(timer.due.since(started)) {
            return Err(format!("`{name}` cannot fire yet, or any more"));
        }
        timer.state = State::Elapsed;
        let owner = timer.owner;
        self.wake_task(at, owner, false);
        Ok(())
    }

    pub fn drop_timer(&mut self, at: Time, index: usize) {
        let timer = &mut self.timers[index];
        timer.dropped = Some(at);
        timer.wire.value.dropped_at = Some(timestamp(at));
        timer.changed();
        self.tasks[timer.owner].timers.retain(|t| *t != index);
        if timer.interval.is_none()
            && let Some(op) = timer.op
            && self.ops[op].dropped.is_none()
        {
            self.drop_op(at, op);
        }
    }

    /// A poll of the task that owns it reaches this timer.
    pub fn poll_timer(&mut self, at: Time, index: usize) {
        if self.timers[index].state == State::New {
            self.arm(at, index);
        }
        let ready = match self.timers[index].state {
            State::Fired => return,
            State::Elapsed => true,
            State::New | State::Armed => self.timers[index].duration == Some(Duration::ZERO),
        };
        self.tell_poll(index, ready);
        let timer = &mut self.timers[index];
        if !ready {
            self.tasks[timer.owner].keep_a_waker();
            return;
        }
        timer.fire(at);
        if let Some(Interval { period, .. }) = timer.interval {
            // A tick that was missed comes at once.
            timer.due = timer.due + period;
            timer.state = State::New;
            self.begin_tick(at, index);
            self.poll_timer(at, index);
        } else if timer.kept {
            timer.state = State::Fired;
        } else {
            self.drop_timer(at, index);
        }
    }

    /// tokio counts in whole milliseconds since the runtime's start: up to the one after
    /// the deadline, from the one before now.
    fn arm(&mut self, at: Time, index: usize) {
        let started = self.started;
        let timer = &mut self.timers[index];
        let tick = ceil(timer.due.since(started));
        let lasts = tick.saturating_sub(floor(at.since(started)));
        timer.state = State::Armed;
        timer.duration = Some(lasts);
        timer.wire.value.duration = Some(duration(lasts));
        timer.wire.value.deadline = Some(timestamp(at + lasts));
        timer.wire.value.fired_at = None;
        timer.changed();
    }

    /// Every tick of an interval is an async op.
    fn begin_tick(&mut self, at: Time, index: usize) {
        let Timer {
            interval,
            owner,
            op,
            ..
        } = self.timers[index];
        if let Some(Interval { span, .. }) = interval {
            if let Some(op) = op {
                self.drop_op(at, op);
            }
            self.timers[index].op = Some(self.push_op(at, span, "Interval::tick", None, owner));
        }
    }

    /// Each poll of a sleep gives two ops, the first of which is about the budget.
    fn tell_poll(&mut self, index: usize, ready: bool) {
        let timer = &self.timers[index];
        let Some(op) = timer.op else { return };
        let (op, task) = (self.ops[op].span, self.tasks[timer.owner].span);
        let of_sleep = |ready| poll_op(timer.span, "poll_elapsed", task, op, ready);
        self.poll_ops.extend([of_sleep(true), of_sleep(ready)]);
        let of_interval = |i: Interval| poll_op(i.span, "poll_tick", task, op, ready);
        self.poll_ops.extend(timer.interval.map(of_interval));
    }
}

impl Timer {
    fn changed(&mut self) {
        (self.seen.changed, self.wire.changed) = (true, true);
    }

    fn fire(&mut self, at: Time) {
        let deadline = self.wire.value.deadline.as_ref().and_then(Time::from_wire);
        self.late = self
            .late
            .max(deadline.map_or(Duration::ZERO, |d| at.since(d)));
        self.wire.value.fires += 1;
        self.wire.value.fired_at = Some(timestamp(at));
        self.wire.value.latest = Some(duration(self.late));
        self.changed();
    }
}

fn floor(d: Duration) -> Duration {
    Duration::from_millis(d.as_millis() as u64)
}

fn ceil(d: Duration) -> Duration {
    floor(d + Duration::from_nanos(999_999))
}
