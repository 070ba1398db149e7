//! What is kept of one kind: what lives, and for a while what has ended.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasherDefault,
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::dropped::Dropped;
use crate::{clock::Nanos, facts::budget::Budget, hear::SpanHasher};

/// Counts readings: what was read later has the greater number.
pub(crate) type Seq = u64;

/// Something that the program's threads fill in.
pub(crate) trait Entity {
    /// What it was when it was read.
    type State: State;

    fn id(&self) -> u64;
    /// Its end has been read.
    fn is_kept(&self) -> &AtomicBool;
    fn is_closed(&self) -> bool;
    fn read(&self) -> Self::State;
    /// Memory that it takes while it lives.
    fn bytes(&self) -> usize;
}

/// The state of something that may have ended.
pub(crate) trait State {
    fn id(&self) -> u64;
    /// 0 if it has not.
    fn closed(&self) -> Nanos;
    /// It has not ended yet.
    fn revive(&mut self);
    fn bytes(&self) -> usize;
}

/// The state of something that is alive. If it has just ended, it is so once more, and comes
/// again as what has ended.
fn alive<E: Entity>(entity: &E) -> E::State {
    let mut state = entity.read();
    state.revive();
    state
}

/// When something was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    first: Seq,
    last: Seq,
}

/// What a client has been told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// Everything up to here.
    pub(super) told: Seq,
    /// Perhaps some of what there was here.
    pub(super) may_know: Seq,
    /// What it will never be told, as it is forgotten.
    pub(super) missed: Dropped,
}

impl Reader {
    /// It was alive at one of the two moments of which the reader knows, and has ended since.
    fn is_owed(&self, read: Read) -> bool {
        let was_alive = |at| read.first <= at && at < read.last;
        was_alive(self.told) || was_alive(self.may_know)
    }
}

fn is_owed(read: Read, readers: &[Reader]) -> bool {
    readers.iter().any(|reader| reader.is_owed(read))
}

fn find<S>(all: &VecDeque<(Read, S)>, seq: Seq) -> Option<&(Read, S)> {
    let at = all.partition_point(|(read, _)| read.last < seq);
    all.get(at).filter(|(read, _)| read.last == seq)
}

/// All of one kind.
#[derive(Debug)]
pub(crate) struct Kept<E: Entity> {
    live: HashMap<u64, (Arc<E>, Read), BuildHasherDefault<SpanHasher>>,
    /// In the order of their numbers.
    ended: VecDeque<(Read, E::State)>,
    /// How many have ever ended.
    ended_in_all: u64,
    /// What ended before all of these, and would be forgotten but for a client that would
    /// believe it alive for ever. In the same order.
    owed: VecDeque<(Read, E::State)>,
    /// Bytes of these.
    pub(super) owed_bytes: usize,
    /// What was first read up to here may be on a client's list of what is alive.
    shown_up_to: Seq,
    /// Of these, the ends of those that have ended since, by their own number.
    ends: HashMap<u64, Seq, BuildHasherDefault<SpanHasher>>,
    /// How many they may become before it is worth a look which of them still are.
    look_at: usize,
}

impl<E: Entity> Default for Kept<E> {
    fn default() -> Self {
        Self {
            live: HashMap::default(),
            ended: VecDeque::new(),
            ended_in_all: 0,
            owed: VecDeque::new(),
            owed_bytes: 0,
            shown_up_to: 0,
            ends: HashMap::default(),
            look_at: Self::FEW,
        }
    }
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forgotten {
    pub(super) count: u64,
    pub(super) bytes: usize,
}

impl AddAssign for Forgotten {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.bytes += more.bytes;
    }
}

/// One that a client has not been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Live(u64),
    Ended(Seq),
}

/// What reading something left.
#[derive(Debug)]
pub(crate) struct Rest<E> {
    /// Bytes that are free now, and bytes that are in use now.
    pub(crate) freed: usize,
    pub(crate) used: usize,
    /// It has ended: only its last state is kept.
    pub(crate) ended: Option<Arc<E>>,
}

impl<E> Default for Rest<E> {
    fn default() -> Self {
        Self {
            freed: 0,
            used: 0,
            ended: None,
        }
    }
}

impl<E: Entity> Kept<E> {
    const FEW: usize = 1 << 10;
    /// So many that came and went are told to who lags or has just come.
    const PASSED: usize = 1 << 15;

    /// Reads what has changed and was taken off the list, shows it, and keeps it; of what is
    /// alive while nobody watches, nothing. `show` is told whether it is new.
    pub(crate) fn take(
        &mut self,
        entity: Arc<E>,
        seq: Seq,
        is_watched: bool,
        show: impl FnOnce(&E::State, bool),
    ) -> Rest<E> {
        let id = entity.id();
        if !entity.is_closed() {
            if is_watched {
                let state = alive(&*entity);
                let mut is_new = false;
                let (_, read) = self.live.entry(id).or_insert_with(|| {
                    is_new = true;
                    let read = Read {
                        first: seq,
                        last: seq,
                    };
                    (entity, read)
                });
                read.last = seq;
                show(&state, is_new);
            }
            return Rest::default();
        }
        let known = self.live.remove(&id);
        // Its last change and its end may both have listed it: the second time, nobody else
        // knows it any more.
        if entity.is_kept().swap(true, Relaxed) {
            return Rest {
                ended: Some(entity),
                ..Rest::default()
            };
        }
        if known
            .as_ref()
            .is_some_and(|(_, read)| read.first <= self.shown_up_to)
        {
            self.ends.insert(id, seq);
        }
        let state = entity.read();
        show(&state, known.is_none());
        let used = state.bytes();
        let read = Read {
            first: known.map_or(seq, |(_, read)| read.first),
            last: seq,
        };
        self.ended.push_back((read, state));
        self.ended_in_all += 1;
        Rest {
            freed: entity.bytes() + Budget::ROWS,
            used,
            ended: Some(entity),
        }
    }

    /// Nobody watches any more: what is alive will be read anew when somebody does.
    pub(crate) fn let_go(&mut self) {
        self.live = HashMap::default();
    }

    /// What a client lacks that has been told all up to the reading `since`, what lives at the
    /// end; and how many there are that came and went since, and of which it is not worth while
    /// to tell: in that time, more would come and go.
    pub(super) fn lacking(&self, since: Seq) -> (Vec<Key>, u64) {
        let [owed, ended] = [&self.owed, &self.ended].map(|all| {
            let first = all.partition_point(|(read, _)| read.last <= since);
            all.range(first..).map(|(read, _)| *read)
        });
        let (known, unknown): (Vec<Read>, Vec<Read>) =
            owed.chain(ended).partition(|read| read.first <= since);
        let passed_over = unknown.len().saturating_sub(Self::PASSED);
        let unknown = unknown.iter().skip(passed_over);
        let ended = unknown.chain(&known).map(|read| Key::Ended(read.last));
        let live = self.live.iter();
        let live = live.filter(|(_, (_, read))| read.last > since);
        let live = live.map(|(id, _)| Key::Live(*id));
        (ended.chain(live).collect(), passed_over as u64)
    }

    /// Shows one, with the reading since which it is known; false if it is forgotten.
    pub(crate) fn show(&self, key: Key, show: impl FnOnce(&E::State, Seq)) -> bool {
        let seq = match key {
            Key::Ended(seq) => seq,
            Key::Live(id) => match (self.live.get(&id), self.ends.get(&id)) {
                (Some((entity, read)), _) => {
                    show(&alive(&**entity), read.first);
                    return true;
                }
                (None, Some(seq)) => *seq,
                (None, None) => return false,
            },
        };
        let found = find(&self.ended, seq).or_else(|| find(&self.owed, seq));
        if let Some((read, state)) = found {
            show(state, read.first);
        }
        found.is_some()
    }

    /// Clients are being shown what was first read up to here, or nobody is any more.
    pub(super) fn shows_up_to(&mut self, seq: Option<Seq>) {
        self.shown_up_to = seq.unwrap_or_default();
        if seq.is_none() {
            self.ends = HashMap::default();
        }
    }

    /// How many there ever were; of what lives, those that were read while somebody watched.
    pub(super) fn in_all(&self) -> u64 {
        self.ended_in_all + self.live.len() as u64
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Arc<E>> {
        self.live.get(&id).map(|(entity, _)| entity)
    }

    pub(crate) fn get_ended(&self, id: u64) -> Option<&E::State> {
        let ended = self.owed.iter().chain(&self.ended);
        ended
            .rev()
            .find_map(|(_, state)| (state.id() == id).then_some(state))
    }

    pub(super) fn oldest(&self) -> Option<Nanos> {
        self.ended.front().map(|(_, state)| state.closed())
    }

    /// Forgets the one that ended first, unless somebody is owed its end. A reader that has not
    /// been told of it misses it.
    pub(super) fn forget_oldest(
        &mut self,
        readers: &mut [Reader],
        missed: impl Fn(&mut Dropped) -> &mut u64,
    ) -> Forgotten {
        let Some((read, state)) = self.ended.pop_front() else {
            return Forgotten::default();
        };
        let bytes = state.bytes();
        if is_owed(read, readers) {
            self.owed.push_back((read, state));
            self.owed_bytes += bytes;
            return Forgotten::default();
        }
        // What is on a reader's list it misses when its turn comes.
        let lack = |reader: &&mut Reader| (1..read.last).contains(&reader.may_know);
        for reader in readers.iter_mut().filter(lack) {
            *missed(&mut reader.missed) += 1;
        }
        Forgotten { count: 1, bytes }
    }

    /// Forgets what was owed and no longer is.
    pub(super) fn settle(&mut self, readers: &[Reader]) -> Forgotten {
        if self.owed.len() <= self.look_at {
            return Forgotten::default();
        }
        let before = Forgotten {
            count: self.owed.len() as u64,
            bytes: self.owed_bytes,
        };
        self.owed_bytes = 0;
        self.owed.retain(|(read, state)| {
            let keep = is_owed(*read, readers);
            self.owed_bytes += if keep { state.bytes() } else { 0 };
            keep
        });
        self.look_at = Self::FEW.max(2 * self.owed.len());
        Forgotten {
            count: before.count - self.owed.len() as u64,
            bytes: before.bytes - self.owed_bytes,
        }
    }

    /// Forgets what is owed and ended first; with its number.
    pub(super) fn renounce(&mut self) -> Option<(Seq, Forgotten)> {
        let (read, state) = self.owed.pop_front()?;
        let bytes = state.bytes();
        self.owed_bytes -= bytes;
        Some((read.last, Forgotten { count: 1, bytes }))
    }

    /// Forgets what ended before `before`, unless somebody lacks it; tells its memory.
    pub(super) fn forget(&mut self, before: Nanos, told: Seq) -> usize {
        let mut freed = 0;
        while let Some((read, state)) = self.owed.front()
            && read.last <= told
        {
            freed += state.bytes();
            self.owed_bytes -= state.bytes();
            self.owed.pop_front();
        }
        while let Some((read, state)) = self.ended.front()
            && state.closed() < before
            && read.last <= told
        {
            freed += state.bytes();
            self.ended.pop_front();
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Release},
    };

    use super::*;

    /// Ends, and lists itself, right after it was looked at so many times.
    #[derive(Debug)]
    struct Ends {
        after: u32,
        looks: AtomicU32,
        is_kept: AtomicBool,
        closed: AtomicBool,
        lists: AtomicU32,
    }

    #[derive(Debug)]
    struct Ended(bool);

    impl Ends {
        fn look(&self) {
            if self.looks.fetch_add(1, AcqRel) == self.after {
                self.closed.store(true, Release);
                self.lists.fetch_add(1, AcqRel);
            }
        }
    }

    impl Entity for Ends {
        type State = Ended;

        fn id(&self) -> u64 {
            7
        }

        fn is_kept(&self) -> &AtomicBool {
            self.look();
            &self.is_kept
        }

        fn is_closed(&self) -> bool {
            let closed = self.closed.load(Acquire);
            self.look();
            closed
        }

        fn read(&self) -> Ended {
            let state = Ended(self.closed.load(Acquire));
            self.look();
            state
        }

        fn bytes(&self) -> usize {
            1_000
        }
    }

    impl State for Ended {
        fn id(&self) -> u64 {
            7
        }

        fn closed(&self) -> Nanos {
            self.0.into()
        }

        fn revive(&mut self) {
            self.0 = false;
        }

        fn bytes(&self) -> usize {
            10
        }
    }

    fn entity(closed: bool) -> Arc<Ends> {
        Arc::new(Ends {
            after: u32::MAX,
            looks: AtomicU32::new(0),
            is_kept: AtomicBool::new(false),
            closed: AtomicBool::new(closed),
            lists: AtomicU32::new(1),
        })
    }

    /// Of what came and went the newest are told; of what was known alive, the end in any case.
    #[test]
    fn what_came_and_went_is_passed_over_if_there_is_too_much_of_it() {
        const PASSED: Seq = Kept::<Ends>::PASSED as Seq;
        let mut kept = Kept::default();
        let known = entity(false);
        kept.take(Arc::clone(&known), 1, true, |_, _| {});
        known.closed.store(true, Release);
        kept.take(known, 2, true, |_, _| {});
        for seq in 3..=PASSED + 100 {
            kept.take(entity(true), seq, true, |_, _| {});
        }
        let told = |since| {
            let (keys, passed_over) = kept.lacking(since);
            let of = |key: &Key| match key {
                Key::Ended(seq) => *seq,
                Key::Live(_) => panic!("all have ended"),
            };
            let mut seqs: Vec<Seq> = keys.iter().map(of).collect();
            seqs.sort_unstable();
            (seqs, passed_over)
        };
        let (seqs, passed_over) = told(0);
        assert!(seqs.into_iter().eq(101..=PASSED + 100));
        assert_eq!(passed_over, 99);
        let (seqs, passed_over) = told(1);
        assert!(
            seqs.into_iter()
                .eq([2].into_iter().chain(101..=PASSED + 100))
        );
        assert_eq!(passed_over, 98);
        assert_eq!(told(100).1, 0);
    }

    #[test]
    fn what_ends_while_it_is_read_ends_once() {
        for after in 0..8 {
            let entity = Arc::new(Ends {
                after,
                looks: AtomicU32::new(0),
                is_kept: AtomicBool::new(false),
                closed: AtomicBool::new(false),
                // It is on the list for something that happened before.
                lists: AtomicU32::new(1),
            });
            let mut kept = Kept::default();
            let (mut seq, mut freed, mut last) = (0, 0, None);
            let mut take_listed = || {
                while entity.lists.load(Acquire) > seq {
                    seq += 1;
                    let show = |state: &Ended, _: bool| last = Some(state.0);
                    freed += kept.take(Arc::clone(&entity), seq.into(), true, show).freed;
                }
            };
            take_listed();
            // If it has not come to its end by then, it does now.
            while entity.looks.load(Acquire) <= after {
                entity.look();
            }
            take_listed();
            assert_eq!(last, Some(true), "after {after} looks");
            assert_eq!((kept.live.len(), kept.ended.len()), (0, 1), "after {after}");
            assert_eq!(freed, 1_000 + Budget::ROWS);
        }
    }
}
