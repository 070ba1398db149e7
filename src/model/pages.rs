//! Things by numbers that were given out in order.
//!
//! Things whose numbers are near each other have their places on one page, and pages are so few
//! that where they are is near at hand: to look one up is a step to its page and one to itself,
//! where a tree of things goes through things that nobody asked for. What is left of a page on
//! which there is one thing is half a kilobyte.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::RangeTo};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// Places on a page.
const PLACES: u64 = 64;

#[derive(Clone, Debug)]
struct Page<V> {
    places: Box<[Option<Box<V>>]>,
    taken: usize,
}

impl<V> Page<V> {
    fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| None).collect(),
            taken: 0,
        }
    }

    fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.places.iter().flatten().map(|value| &**value)
    }
}

/// A map from what stands for a number, in the order of the numbers.
#[derive(Clone, Debug)]
pub(super) struct Pages<K, V> {
    by_number: BTreeMap<u64, Page<V>>,
    len: usize,
    key: PhantomData<K>,
}

impl<K, V> Default for Pages<K, V> {
    fn default() -> Self {
        Self {
            by_number: BTreeMap::new(),
            len: 0,
            key: PhantomData,
        }
    }
}

/// The page of a number, and the place on it.
fn place(key: impl Into<u64>) -> (u64, usize) {
    let number = key.into();
    (number / PLACES, (number % PLACES) as usize)
}

impl<K: Copy + Into<u64> + From<u64>, V> Pages<K, V> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, key: K) -> Option<&V> {
        let (page, at) = place(key);
        self.by_number.get(&page)?.places[at].as_deref()
    }

    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let (page, at) = place(key);
        self.by_number.get_mut(&page)?.places[at].as_deref_mut()
    }

    pub fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    /// What there is, or is made now.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let (page, at) = place(key);
        let page = self.by_number.entry(page).or_insert_with(Page::new);
        let place = &mut page.places[at];
        if place.is_none() {
            page.taken += 1;
            self.len += 1;
        }
        place.get_or_insert_with(|| Box::new(make()))
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (page, at) = place(key);
        let page = self.by_number.entry(page).or_insert_with(Page::new);
        let before = page.places[at].replace(Box::new(value));
        let is_new = usize::from(before.is_none());
        page.taken += is_new;
        self.len += is_new;
        before.map(|before| *before)
    }

    pub fn remove(&mut self, key: K) -> Option<V> {
        let (number, at) = place(key);
        let page = self.by_number.get_mut(&number)?;
        let value = page.places[at].take()?;
        page.taken -= 1;
        self.len -= 1;
        if page.taken == 0 {
            self.by_number.remove(&number);
        }
        Some(*value)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.by_number
            .iter()
            .flat_map(|(number, page)| numbered(*number, page))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = K> + '_ {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.by_number.values().flat_map(Page::values)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let pages = self.by_number.values_mut();
        let values = pages.flat_map(|page| page.places.iter_mut().flatten());
        values.map(|value| &mut **value)
    }

    /// What it takes, but for what the things themselves point to.
    pub fn bytes(&self) -> usize {
        self.by_number.len() * size_of::<[Option<Box<V>>; PLACES as usize]>()
            + self.len * size_of::<V>()
    }

    /// Those of smaller numbers.
    pub fn range(&self, range: RangeTo<K>) -> impl DoubleEndedIterator<Item = &V> {
        let (last, at) = place(range.end);
        let before = self.by_number.range(..last);
        let before = before.flat_map(|(_, page)| page.values());
        let last = self.by_number.get(&last).into_iter();
        let last = last.flat_map(move |page| page.places[..at].iter().flatten());
        before.chain(last.map(|value| &**value))
    }
}

fn numbered<K: From<u64>, V>(
    number: u64,
    page: &Page<V>,
) -> impl DoubleEndedIterator<Item = (K, &V)> {
    let places = page.places.iter().enumerate();
    places.filter_map(move |(at, place)| {
        let value = place.as_deref()?;
        Some((K::from(number * PLACES + at as u64), value))
    })
}

/// As a map is written.
impl<K, V> Serialize for Pages<K, V>
where
    K: Copy + Into<u64> + From<u64> + Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = to.serialize_map(Some(self.len))?;
        for (key, value) in self.iter() {
            map.serialize_entry(&key, value)?;
        }
        map.end()
    }
}

impl<'de, K, V> Deserialize<'de> for Pages<K, V>
where
    K: Copy + Into<u64> + From<u64> + Deserialize<'de>,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read<K, V>(PhantomData<(K, V)>);

        impl<'de, K, V> Visitor<'de> for Read<K, V>
        where
            K: Copy + Into<u64> + From<u64> + Deserialize<'de>,
            V: Deserialize<'de>,
        {
            type Value = Pages<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pages = Pages::default();
                while let Some((key, value)) = map.next_entry()? {
                    pages.insert(key, value);
                }
                Ok(pages)
            }
        }

        from.deserialize_map(Read(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_order(
            steps in prop::collection::vec((any::<bool>(), 0_u64..300), 0..200),
            end in 0_u64..300,
        ) {
            let mut pages = Pages::<u64, u64>::default();
            let mut map = BTreeMap::new();
            for (n, (keep, key)) in steps.into_iter().enumerate() {
                // Some far from the others, up to the last.
                let key = if key % 7 == 0 { u64::MAX - key } else { key };
                let value = n as u64;
                if keep {
                    prop_assert_eq!(pages.insert(key, value), map.insert(key, value));
                } else {
                    prop_assert_eq!(pages.remove(key), map.remove(&key));
                }
                prop_assert_eq!(pages.get(key), map.get(&key));
                prop_assert_eq!((pages.len(), pages.is_empty()), (map.len(), map.is_empty()));
            }
            prop_assert!(pages.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert!(pages.values().rev().eq(map.values().rev()));
            prop_assert!(pages.range(..end).rev().eq(map.range(..end).rev().map(|(_, v)| v)));
            let bytes = postcard::to_stdvec(&pages).expect("room");
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&map).expect("room"));
            let read: Pages<u64, u64> = postcard::from_bytes(&bytes).expect("a map");
            prop_assert!(read.iter().eq(pages.iter()));
            prop_assert_eq!(pages.by_number.is_empty(), map.is_empty(), "no page is kept in vain");
        }
    }
}
