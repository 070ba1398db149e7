//! What a filter can ask of a task, by name.

/// One of the fields of a task.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Text(Text),
    Span(Span),
    Count(Count),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Name,
    Location,
    Kind,
    State,
    Error,
}

/// A length of time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Span {
    Total,
    Busy,
    Ready,
    Idle,
    Longest,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Count {
    Polls,
    Wakes,
    Id,
}

impl Text {
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::Location,
        Self::Kind,
        Self::State,
        Self::Error,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Location => "location",
            Self::Kind => "kind",
            Self::State => "state",
            Self::Error => "error",
        }
    }
}

impl Span {
    pub const ALL: [Self; 5] = [
        Self::Total,
        Self::Busy,
        Self::Ready,
        Self::Idle,
        Self::Longest,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Busy => "busy",
            Self::Ready => "ready",
            Self::Idle => "idle",
            Self::Longest => "longest",
        }
    }
}

impl Count {
    pub const ALL: [Self; 3] = [Self::Polls, Self::Wakes, Self::Id];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::Wakes => "wakes",
            Self::Id => "id",
        }
    }
}

impl Field {
    pub fn all() -> impl Iterator<Item = Self> {
        let texts = Text::ALL.into_iter().map(Self::Text);
        let spans = Span::ALL.into_iter().map(Self::Span);
        let counts = Count::ALL.into_iter().map(Self::Count);
        texts.chain(spans).chain(counts)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Text(field) => field.word(),
            Self::Span(field) => field.word(),
            Self::Count(field) => field.word(),
        }
    }
}
