//! The two ways to be told by tracing: as a subscriber, and as a layer of one.

use std::{num::NonZeroU64, sync::Arc};

use tracing::{Dispatch, Event, Metadata, Subscriber, span, subscriber::Interest};
use tracing_core::span::Current;
use tracing_subscriber::{Layer, layer::Context};

use super::{
    Heard,
    ear::{Ear, wanted},
    here::Here,
    spans::{Slots, Spans},
};

/// All of a program's tracing, if it has none of its own: spans that the probe does not
/// want are off, and the others cost only what the probe does with them.
#[derive(Debug)]
pub(crate) struct ProbeSubscriber(Ear);

/// Beside other layers; it has to be under a filter of its own, with [`wanted`].
#[derive(Debug)]
pub(crate) struct ProbeLayer(Ear);

impl ProbeSubscriber {
    pub(crate) fn new(heard: Arc<Heard>) -> Self {
        Self(Ear { heard })
    }

    fn slots(&self) -> Option<&Slots> {
        match &self.0.heard.spans {
            Spans::Own(slots) => Some(slots),
            Spans::Foreign(_) => None,
        }
    }
}

impl ProbeLayer {
    pub(crate) fn new(heard: Arc<Heard>) -> Self {
        Self(Ear { heard })
    }
}

impl Subscriber for ProbeSubscriber {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.heard.installed(dispatch);
    }

    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        if wanted(meta) {
            self.0.heard.callsite(meta);
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, meta: &Metadata<'_>) -> bool {
        wanted(meta)
    }

    fn new_span(&self, attrs: &span::Attributes<'_>) -> span::Id {
        let reserve = |here: &mut Here| {
            let at_hand = here.places.pop();
            at_hand.unwrap_or_else(|| self.slots().map_or(Slots::NOTHING, Slots::reserve).get())
        };
        let span = self.0.new_span(attrs, reserve).and_then(NonZeroU64::new);
        span::Id::from_non_zero_u64(span.unwrap_or(Slots::NOTHING))
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.0.record(id.into_u64(), values);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
    }

    fn enter(&self, id: &span::Id) {
        self.0.enters(id.into_u64());
    }

    fn exit(&self, id: &span::Id) {
        self.0.exits(id.into_u64());
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        if let Some(slots) = self.slots() {
            slots.hold(id.into_u64());
        }
        id.clone()
    }

    fn try_close(&self, id: span::Id) -> bool {
        self.0.closes(id.into_u64())
    }

    fn current_span(&self) -> Current {
        let current = self.0.current();
        let known = current.and_then(|(span, meta)| Some((NonZeroU64::new(span)?, meta)));
        known.map_or_else(Current::none, |(span, meta)| {
            Current::new(span::Id::from_non_zero_u64(span), meta)
        })
    }
}

impl<S: Subscriber> Layer<S> for ProbeLayer {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.heard.installed(dispatch);
    }

    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        if wanted(meta) {
            self.0.heard.callsite(meta);
        }
        Interest::always()
    }

    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        if wanted(attrs.metadata()) {
            self.0.new_span(attrs, |_| id.into_u64());
        }
    }

    fn on_enter(&self, id: &span::Id, _: Context<'_, S>) {
        self.0.enters(id.into_u64());
    }

    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        self.0.exits(id.into_u64());
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.0.record(id.into_u64(), values);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.event(event);
    }

    fn on_close(&self, id: span::Id, _: Context<'_, S>) {
        self.0.closes(id.into_u64());
    }
}
