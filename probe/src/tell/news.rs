//! Messages in the making: what has not been published yet, for all who keep up, or what one who
//! does not is sent instead.

use tracing::Metadata;

use super::{PART, console, entities::TaskState, kept::Seq, own};
use crate::facts::{op, resource, scope};

#[derive(Default)]
pub(super) struct News {
    /// The reading at which they begin: for those who have everything up to there.
    pub(super) begin: Seq,
    pub(super) console: Option<console::Updates>,
    /// For clients of our own protocol: `own` tells of timers, so that it does not.
    pub(super) beside: Option<console::Updates>,
    pub(super) own: Option<own::Updates>,
    pub(super) polls: own::Polls,
}

impl News {
    /// So much is told at once, before its time.
    const MUCH: usize = 16 * PART;

    /// Where they begin, or would after the reading `seq`.
    pub(super) fn since(&self, seq: Seq) -> Seq {
        if self.have_begun() { self.begin } else { seq }
    }

    pub(super) fn have_begun(&self) -> bool {
        self.console.is_some() || self.own.is_some()
    }

    pub(super) fn is_much(&self) -> bool {
        let console = [&self.console, &self.beside].into_iter().flatten();
        let console = console.map(console::Updates::size).max();
        let own = self.own.as_ref().map(own::Updates::size);
        console.max(own) > Some(Self::MUCH)
    }

    /// No more fits into one message.
    pub(super) fn is_full(&self) -> bool {
        let mut console = [&self.console, &self.beside].into_iter().flatten();
        let own = self.own.as_ref();
        console.any(console::Updates::is_full) || own.is_some_and(own::Updates::is_full)
    }

    pub(super) fn callsite(&mut self, meta: &'static Metadata<'static>) {
        for console in [&mut self.console, &mut self.beside].into_iter().flatten() {
            console.callsite(meta);
        }
    }

    pub(super) fn task(&mut self, state: &TaskState, is_new: bool) {
        for console in [&mut self.console, &mut self.beside].into_iter().flatten() {
            console.task(state, is_new);
        }
        if let Some(own) = &mut self.own {
            own.task(state);
        }
    }

    pub(super) fn resource(&mut self, state: &resource::State, is_new: bool) {
        if let Some(console) = &mut self.console {
            console.resource(state, is_new);
        }
        if let Some(beside) = self.beside.as_mut().filter(|_| !state.is_timer) {
            beside.resource(state, is_new);
        }
        if let Some(own) = &mut self.own {
            own.resource(state);
        }
    }

    pub(super) fn op(&mut self, state: &op::State, is_new: bool) {
        if let Some(console) = &mut self.console {
            console.op(state, is_new);
        }
        if let Some(beside) = self.beside.as_mut().filter(|_| !state.is_on_timer) {
            beside.op(state, is_new);
        }
    }

    pub(super) fn scope(&mut self, state: &scope::State) {
        if let Some(own) = &mut self.own {
            own.scope(state);
        }
    }
}
