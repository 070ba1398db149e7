//! Writes messages as they are on the wire, without making them first: of what most is told,
//! most would be thrown away again, and looking how long it is takes as long as writing it.

use prost::{Message, bytes::Bytes};

use crate::clock::{self, Nanos};

/// Fields of a message. As everywhere in protobuf, numbers that are 0 are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<u8>);

/// What comes after a field's number: a number, or a length and so many bytes.
const NUMBER: u64 = 0;
const LENGTH: u64 = 2;

impl Fields {
    pub(super) fn with_room_for(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0.into()
    }

    fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn key(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    pub(super) fn number(&mut self, field: u32, n: u64) {
        if n > 0 {
            self.number_or_0(field, n);
        }
    }

    /// A number whose presence tells something.
    pub(super) fn number_or_0(&mut self, field: u32, n: u64) {
        self.key(field, NUMBER);
        self.varint(n);
    }

    /// One that may be below 0, and is there in any case.
    pub(super) fn signed(&mut self, field: u32, n: i64) {
        self.number_or_0(field, (n << 1 ^ n >> 63).cast_unsigned());
    }

    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message within this one.
    pub(super) fn message(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        self.key(field, LENGTH);
        let at = self.0.len();
        // Most are so short that one byte tells it.
        self.0.push(0);
        fill(self);
        let length = self.0.len() - at - 1;
        if length < 0x80 {
            self.0[at] = length as u8;
        } else {
            let mut longer = Self::default();
            longer.varint(length as u64);
            self.0.splice(at..=at, longer.0);
        }
    }

    /// The fields of a message, as they are written already.
    pub(super) fn written(&mut self, fields: &[u8]) {
        self.0.extend_from_slice(fields);
    }

    /// The fields of a message that is made.
    pub(super) fn made(&mut self, message: &impl Message) {
        // It fails only if there is no room, and a vector always has some.
        let _ = message.encode(&mut self.0);
    }

    /// A message that is a number alone; none for 0.
    pub(super) fn id(&mut self, field: u32, id: u64) {
        if id > 0 {
            self.message(field, |fields| fields.number(1, id));
        }
    }

    /// None if it has not come.
    pub(super) fn time(&mut self, field: u32, at: Nanos) {
        if at > 0 {
            let time = clock::wire(at);
            self.seconds(field, time.seconds, time.nanos);
        }
    }

    pub(super) fn duration(&mut self, field: u32, nanos: u64) {
        let duration = clock::wire_duration(nanos);
        self.seconds(field, duration.seconds, duration.nanos);
    }

    fn seconds(&mut self, field: u32, seconds: i64, nanos: i32) {
        self.message(field, |fields| {
            fields.number(1, seconds.cast_unsigned());
            fields.number(2, i64::from(nanos).cast_unsigned());
        });
    }
}

#[cfg(test)]
mod tests {
    use console_api::{Field, PollStats, field::Value, tasks::Stats};

    use super::*;

    #[test]
    fn what_is_written_is_what_would_be_made() {
        clock::start();
        let long = "so long that its length takes more than a byte ".repeat(4);
        let mut fields = Fields::default();
        fields.id(1, 7);
        fields.id(2, 0);
        fields.message(7, |fields| {
            fields.number(1, u64::MAX);
            fields.time(3, 5);
            fields.time(4, 0);
            fields.duration(6, 3_000_000_001);
        });
        for n in [i64::MIN, -1, 0, i64::MAX] {
            fields.message(9, |fields| fields.signed(6, n));
        }
        fields.message(10, |fields| {
            fields.bytes(1, long.as_bytes());
            fields.number_or_0(5, 0);
        });
        let poll_stats = PollStats {
            polls: u64::MAX,
            first_poll: clock::wire_if(5),
            busy_time: Some(clock::wire_duration(3_000_000_001)),
            ..PollStats::default()
        };
        let field = Field {
            name: Some(long.as_str().into()),
            value: Some(Value::U64Val(0)),
            metadata_id: None,
        };
        let mut made = Fields::default();
        made.id(1, 7);
        made.made(&Stats {
            poll_stats: Some(poll_stats),
            ..Stats::default()
        });
        for n in [i64::MIN, -1, 0, i64::MAX] {
            let field = Field {
                value: Some(Value::I64Val(n)),
                ..Field::default()
            };
            made.bytes(9, &field.encode_to_vec());
        }
        made.bytes(10, &field.encode_to_vec());
        assert_eq!(fields.0, made.0);
    }
}
