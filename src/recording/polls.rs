//! Polls as few bytes: what each differs from what those before it let one expect.
//!
//! A loop polls one task after the other, so a poll begins soon after the end of its thread's
//! last. A task is mostly woken by itself or another one while that is polled, so soon after
//! the last poll of that one began; or many are woken at once, one soon after the other, and
//! polled in that order. What has been nearer of late is what is expected next. What is left are
//! small numbers, and many zeros.

use loopview_api::{recording::v1, v1 as probe};
use prost::Message;

/// The same polls, as the bytes of a `Polls` of recordings; nothing for those that are not as the
/// protocol says, which are kept as they came.
///
/// Nearly all that is written are polls, so their columns become bytes at once.
pub(super) fn pack(polls: &probe::Polls) -> Option<Vec<u8>> {
    let count = polls.task.len();
    let columns = [
        polls.thread.len(),
        polls.started.len(),
        polls.lasted.len(),
        polls.woken.len(),
        polls.woken_by.len(),
    ];
    // The greatest of all ids has no room for what is told beside ids.
    if columns != [count; 5] || polls.woken_by.contains(&u64::MAX) {
        return None;
    }
    let [
        mut tasks,
        mut threads,
        mut afters,
        mut lengths,
        mut wakes,
        mut by_whom,
    ] = [(); 6].map(|()| Column::with_room(count));
    let mut before = Before::default();
    let mut started = 0_u64;
    let rows = polls.task.iter().zip(&polls.thread).zip(&polls.started);
    let rows = rows.zip(&polls.lasted).zip(&polls.woken);
    for (((((task, thread), step), lasted), woken), by) in rows.zip(&polls.woken_by) {
        started = started.wrapping_add_signed(*step);
        let after = started.wrapping_sub(before.end(*thread));
        let guesses = before.guesses(*thread, *by, started);
        let differs = woken.wrapping_sub(guesses.best());
        tasks.add(*task);
        threads.add(u64::from(*thread));
        afters.add_signed(after.cast_signed());
        lengths.add(*lasted);
        wakes.add_signed(differs.cast_signed());
        by_whom.add(match *by {
            0 => 0,
            by if by == *task => 1,
            by => by + 1,
        });
        before.learn(&guesses, *woken);
        before.add(*task, *thread, started, *lasted, *woken);
    }
    let rest = v1::Polls {
        since: polls.since,
        lost: polls.lost,
        ..v1::Polls::default()
    };
    // The fields of a message may be in any order.
    let mut packed = rest.encode_to_vec();
    let columns = [tasks, threads, afters, lengths, wakes, by_whom];
    for (field, column) in (2..).zip(columns) {
        if count > 0 {
            put_bytes(field, &column.0, &mut packed);
        }
    }
    Some(packed)
}

/// Adds a field of a message, of which the number is less than 16: a message, or many numbers.
pub(super) fn put_bytes(field: u8, bytes: &[u8], to: &mut Vec<u8>) {
    const LENGTH_DELIMITED: u8 = 2;
    to.push(field << 3 | LENGTH_DELIMITED);
    put_varint(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

pub(super) fn put_varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The numbers of a field, as varints.
struct Column(Vec<u8>);

impl Column {
    /// Most numbers take one byte or two.
    fn with_room(count: usize) -> Self {
        Self(Vec::with_capacity(count * 2))
    }

    fn add(&mut self, number: u64) {
        put_varint(number, &mut self.0);
    }

    /// Small ones of either sign take few bytes.
    fn add_signed(&mut self, number: i64) {
        self.add(((number << 1) ^ (number >> 63)).cast_unsigned());
    }
}

/// The polls that were packed. Of columns that are not as long as each other, what they have
/// in common.
pub(super) fn unpack(packed: &v1::Polls) -> probe::Polls {
    let columns = [
        packed.task.len(),
        packed.thread.len(),
        packed.after.len(),
        packed.lasted.len(),
        packed.woken.len(),
        packed.woken_by.len(),
    ];
    let count = columns.into_iter().min().unwrap_or_default();
    let mut polls = probe::Polls {
        since: packed.since,
        task: Vec::with_capacity(count),
        thread: Vec::with_capacity(count),
        started: Vec::with_capacity(count),
        lasted: Vec::with_capacity(count),
        woken: Vec::with_capacity(count),
        woken_by: Vec::with_capacity(count),
        lost: packed.lost,
    };
    let mut before = Before::default();
    let mut last = 0_u64;
    let rows = packed.task.iter().zip(&packed.thread).zip(&packed.after);
    let rows = rows.zip(&packed.lasted).zip(&packed.woken);
    for (((((task, thread), after), lasted), differs), by) in rows.zip(&packed.woken_by) {
        let started = before.end(*thread).wrapping_add_signed(*after);
        let by = match *by {
            0 => 0,
            1 => *task,
            by => by - 1,
        };
        polls.task.push(*task);
        polls.thread.push(*thread);
        polls.started.push(started.wrapping_sub(last).cast_signed());
        polls.lasted.push(*lasted);
        let guesses = before.guesses(*thread, by, started);
        let woken = guesses.best().wrapping_add_signed(*differs);
        polls.woken.push(woken);
        polls.woken_by.push(by);
        before.learn(&guesses, woken);
        before.add(*task, *thread, started, *lasted, woken);
        last = started;
    }
    polls
}

/// What was told up to a poll. Ids that share a place only make for a worse guess.
struct Before {
    /// When the last poll ended, by its thread.
    ends: [u64; 64],
    /// When the last poll was woken whose wake was told, by its thread; 0 before there is one.
    wakes: [u64; 64],
    /// When the last poll began, by its task; 0 before there is one.
    starts: [u64; 1_024],
    /// How far off the guesses of a kind were of late, of polls that no task has woken, and of
    /// others.
    errors: [[u32; 3]; 2],
}

/// What a poll may tell of its wake: how long before its start that was, and 1.
struct Guesses {
    /// As its waker's last poll began; as its thread's last poll was woken; or as it starts, or
    /// not at all. None where that is not known.
    all: [Option<u64>; 3],
    /// Which of them is to be taken.
    best: usize,
    /// Whether a task woke it.
    by_task: bool,
}

impl Guesses {
    fn best(&self) -> u64 {
        self.all[self.best].unwrap_or_default()
    }
}

impl Default for Before {
    fn default() -> Self {
        Self {
            ends: [0; 64],
            wakes: [0; 64],
            starts: [0; 1_024],
            errors: [[0; 3]; 2],
        }
    }
}

impl Before {
    fn end(&self, thread: u32) -> u64 {
        self.ends[thread as usize % self.ends.len()]
    }

    fn guesses(&self, thread: u32, by: u64, started: u64) -> Guesses {
        let by_task = by > 0;
        let after = |since: u64| (since > 0).then(|| started.wrapping_sub(since).wrapping_add(1));
        let start = self.starts[by as usize % self.starts.len()];
        let wake = self.wakes[thread as usize % self.wakes.len()];
        let all = [after(start).filter(|_| by_task), after(wake), Some(0)];
        let errors = &self.errors[usize::from(by_task)];
        let known = (0..all.len()).filter(|at| all[*at].is_some());
        Guesses {
            all,
            best: known.min_by_key(|at| errors[*at]).unwrap_or_default(),
            by_task,
        }
    }

    /// Takes note of how good the guesses were, in bits: an eighth of each error is forgotten.
    fn learn(&mut self, guesses: &Guesses, woken: u64) {
        let errors = &mut self.errors[usize::from(guesses.by_task)];
        for (error, guess) in errors.iter_mut().zip(guesses.all) {
            let Some(guess) = guess else { continue };
            let off = woken.wrapping_sub(guess).cast_signed().unsigned_abs();
            *error = *error - *error / 8 + (u64::BITS - off.leading_zeros());
        }
    }

    fn add(&mut self, task: u64, thread: u32, started: u64, lasted: u64, woken: u64) {
        self.ends[thread as usize % self.ends.len()] = started.wrapping_add(lasted);
        self.starts[task as usize % self.starts.len()] = started;
        if woken > 0 {
            let wake = started.wrapping_sub(woken - 1);
            self.wakes[thread as usize % self.wakes.len()] = wake;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (u64, u32, i64, u64, u64, u64);

    fn polls(rows: &[Row]) -> probe::Polls {
        let mut polls = probe::Polls {
            lost: 3,
            since: Some(prost_types::Timestamp {
                seconds: 5,
                nanos: 7,
            }),
            ..probe::Polls::default()
        };
        for (task, thread, started, lasted, woken, woken_by) in rows {
            polls.task.push(*task);
            polls.thread.push(*thread);
            polls.started.push(*started);
            polls.lasted.push(*lasted);
            polls.woken.push(*woken);
            polls.woken_by.push(*woken_by);
        }
        polls
    }

    proptest! {
        #[test]
        fn what_is_packed_is_what_was_told(
            usual in prop::collection::vec(
                (0..5_u64, 0..3_u32, -9..99_i64, 0..99_u64, 0..99_u64, 0..5_u64), 0..40),
            any in prop::collection::vec(any::<Row>(), 0..20),
        ) {
            let polls = polls(&[usual, any].concat());
            if let Some(bytes) = pack(&polls) {
                let packed = v1::Polls::decode(&*bytes).expect("as protobuf says");
                prop_assert_eq!(unpack(&packed), polls);
                prop_assert_eq!(packed.encoded_len(), bytes.len());
            } else {
                prop_assert!(polls.woken_by.contains(&u64::MAX));
            }
        }
    }

    fn packed(rows: &[Row]) -> v1::Polls {
        let bytes = pack(&polls(rows)).expect("as the protocol says");
        v1::Polls::decode(&*bytes).expect("as protobuf says")
    }

    #[test]
    fn tasks_that_yield_in_turn_leave_small_numbers() {
        // Each wakes itself in its poll, which lasts 300 ns, and the loop needs 100 for itself.
        let rows = (0..20).map(|n| {
            (
                n % 5 + 1,
                1,
                400,
                300,
                if n < 5 { 0 } else { 2_001 },
                n % 5 + 1,
            )
        });
        let packed = packed(&rows.collect::<Vec<_>>());
        assert!(packed.after[1..].iter().all(|after| *after == 100));
        assert!(packed.woken.iter().all(|woken| *woken == 0));
        assert!(packed.woken_by.iter().all(|by| *by == 1));
    }

    #[test]
    fn tasks_that_are_woken_together_leave_small_numbers() {
        // One is woken 10 ns after the other, and polled 400 ns after.
        let rows = (0..20).map(|n| (n + 1, 1, 400, 300, 9_001 + n * 390, 0));
        let packed = packed(&rows.collect::<Vec<_>>());
        assert!(packed.woken[1..].iter().all(|woken| *woken == -10));
    }

    #[test]
    fn what_is_not_as_the_protocol_says_is_not_packed() {
        let mut polls = polls(&[(1, 1, 1, 1, 1, 1)]);
        polls.lasted.push(4);
        assert_eq!(pack(&polls), None);
    }
}
