//! The polls of a block as few bytes: by columns, and each begins so long after the one before.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    doing::Doing,
    poll::{Nature, Poll},
};

/// Of these numbers all or the first ones are mostly small.
#[derive(Default, Serialize, Deserialize)]
struct Columns {
    /// Nanoseconds after the start before; of the first, since the epoch.
    started: Vec<u64>,
    lasted: Vec<u64>,
    /// One more, so that what is untold is 0.
    lead: Vec<u64>,
    other: Vec<u32>,
    thread: Vec<u16>,
    before: Vec<Option<Doing>>,
    nature: Vec<Nature>,
}

pub(super) fn serialize<S: Serializer>(polls: &[Poll], to: S) -> Result<S::Ok, S::Error> {
    let mut columns = Columns::default();
    let mut last = 0_u64;
    for poll in polls {
        columns.started.push(poll.started.wrapping_sub(last));
        last = poll.started;
        columns.lasted.push(poll.lasted);
        columns.lead.push(poll.lead.wrapping_add(1));
        columns.other.push(poll.other);
        columns.thread.push(poll.thread);
        columns.before.push(poll.before);
        columns.nature.push(poll.nature);
    }
    columns.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Poll>, D::Error> {
    let columns = Columns::deserialize(from)?;
    let count = columns.started.len();
    let others = [
        columns.lasted.len(),
        columns.lead.len(),
        columns.other.len(),
        columns.thread.len(),
        columns.before.len(),
        columns.nature.len(),
    ];
    if others != [count; 6] {
        return Err(D::Error::custom("columns of several lengths"));
    }
    let mut last = 0_u64;
    let rows = columns.started.iter().zip(&columns.lasted);
    let rows = rows.zip(&columns.lead).zip(&columns.other);
    let rows = rows.zip(&columns.thread).zip(&columns.before);
    let polls = rows.zip(&columns.nature).map(|(row, nature)| {
        let (((((after, lasted), lead), other), thread), before) = row;
        last = last.wrapping_add(*after);
        Poll {
            started: last,
            lasted: *lasted,
            lead: lead.wrapping_sub(1),
            other: *other,
            thread: *thread,
            before: *before,
            nature: *nature,
        }
    });
    Ok(polls.collect())
}
