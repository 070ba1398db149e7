//! Some polls of a lane, side by side, and what their time was spent on.

use serde::{Deserialize, Serialize};

use super::{
    cells::{Span, What},
    columns,
    doing::{Doing, Spent},
    poll::Poll,
};

/// Polls side by side. A full block has their sum, too, so that a cell that holds all of them
/// need not look at each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Block {
    #[serde(skip)]
    pub from: u64,
    #[serde(skip)]
    pub to: u64,
    /// Of a full block whose polls are judged.
    #[serde(skip)]
    pub sum: Option<Box<Sum>>,
    #[serde(with = "columns")]
    pub polls: Vec<Poll>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    spent: Spent,
    longest: u64,
}

impl Block {
    pub const FULL: usize = 64;

    /// Takes a poll that comes after all that are in it, and tells by how many bytes it grew;
    /// `more` are likely to follow.
    pub fn append(&mut self, poll: Poll, more: bool) -> usize {
        let before = self.polls.capacity();
        if self.polls.len() == before {
            let room = if more {
                32
            } else {
                self.polls.len().clamp(1, 32)
            };
            self.polls.reserve_exact(room);
        }
        self.to = self.to.max(poll.end());
        self.polls.push(poll);
        let sum = usize::from(self.polls.len() == Self::FULL) * size_of::<Sum>();
        (self.polls.capacity() - before) * size_of::<Poll>() + sum
    }

    pub fn is_full(&self) -> bool {
        self.polls.len() >= Self::FULL
    }

    /// Puts it where the one before it ends.
    pub fn link(&mut self, from: u64) {
        self.from = from;
        self.to = self.polls.iter().map(Poll::end).fold(from, u64::max);
        self.sum = None;
    }

    fn sum(&self, rest: Doing) -> Sum {
        let mut sum = Sum::default();
        walk(&self.polls, self.from, rest, |span| {
            match span.what {
                What::One(doing) => sum.spent.add(doing, span.to - span.from),
                What::Mixed(spent) => sum.spent.add_all(&spent),
            }
            sum.longest = sum.longest.max(span.longest);
        });
        sum
    }

    pub fn slept(&mut self, from: u64, to: u64) {
        let mut at = self.from;
        for poll in &mut self.polls {
            if at >= to {
                return;
            }
            let ready = poll.ready().max(at);
            let asleep = ready.min(to).saturating_sub(at.max(from));
            let is_nap = asleep > (ready - at) / 2;
            if is_nap && !poll.is_sum() && poll.before != Some(Doing::Sleeping) {
                poll.before = Some(Doing::Sleeping);
                self.sum = None;
            }
            at = poll.end().max(ready);
        }
    }

    /// Keeps its sum if it is full and its polls are judged: they stay as they are.
    pub fn sum_up(&mut self, rest: Doing) {
        let is_judged = self.polls.last().is_some_and(|last| last.before.is_some());
        if self.is_full() && is_judged {
            self.sum = Some(Box::new(self.sum(rest)));
        }
    }

    /// A full block has room for its sum.
    pub fn bytes(&self) -> usize {
        let sum = if self.is_full() { size_of::<Sum>() } else { 0 };
        self.polls.capacity() * size_of::<Poll>() + sum
    }

    /// It as one stretch.
    pub fn summary(&self, rest: Doing) -> Span {
        let new;
        let sum = if let Some(sum) = &self.sum {
            sum
        } else {
            new = self.sum(rest);
            &new
        };
        Span {
            from: self.from,
            to: self.to,
            what: What::Mixed(sum.spent),
            longest: sum.longest,
            polls: self.polls.len() as u32,
        }
    }
}

/// Tells of the time from `at` to the end of the last of some polls, and gives that end.
pub(super) fn walk(polls: &[Poll], mut at: u64, rest: Doing, mut f: impl FnMut(Span)) -> u64 {
    for poll in polls {
        let before = poll.before.unwrap_or(rest);
        let ready = poll.ready().max(at);
        let started = poll.started.max(ready);
        let ended = poll.end().max(started);
        quiet(at, ready, before, &mut f);
        quiet(ready, started, Doing::Ready, &mut f);
        let what = if poll.is_sum() {
            let mut spent = Spent::default();
            let busy = poll.lasted.min(ended - started);
            spent.add(Doing::Running, busy);
            spent.add(before, ended - started - busy);
            What::Mixed(spent)
        } else {
            What::One(Doing::Running)
        };
        f(Span {
            from: started,
            to: ended,
            what,
            longest: poll.held(),
            polls: 1,
        });
        at = ended;
    }
    at
}

/// A stretch without a poll.
pub(super) fn quiet(from: u64, to: u64, doing: Doing, f: &mut impl FnMut(Span)) {
    if from < to {
        f(Span {
            from,
            to,
            what: What::One(doing),
            longest: 0,
            polls: 0,
        });
    }
}
