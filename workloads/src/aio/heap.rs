//! The timers of a run, earliest first.

/// A binary heap whose ties come out as those of Python's `heapq` do: which of two timers with equal
/// deadlines fires first depends on how the heap moves its items, so it moves them in the same way.
#[derive(Debug)]
pub(super) struct Heap<T>(Vec<(f64, T)>);

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Heap<T> {
    pub(super) fn push(&mut self, when: f64, item: T) {
        self.0.push((when, item));
        self.rise(0, self.0.len() - 1);
    }

    /// The earliest, if it is due before `end`.
    pub(super) fn pop_before(&mut self, end: f64) -> Option<T> {
        if self.0.first()?.0 < end {
            self.pop()
        } else {
            None
        }
    }

    /// Drops the earliest as long as nobody wants them.
    pub(super) fn drop_while(&mut self, unwanted: impl Fn(&T) -> bool) {
        while self.0.first().is_some_and(|(_, item)| unwanted(item)) {
            self.pop();
        }
    }

    /// Keeps only those that somebody wants.
    pub(super) fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.0.retain(|(_, item)| wanted(item));
        for at in (0..self.0.len() / 2).rev() {
            self.sink(at);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn pop(&mut self) -> Option<T> {
        if self.0.is_empty() {
            return None;
        }
        let (_, first) = self.0.swap_remove(0);
        self.sink(0);
        Some(first)
    }

    /// Moves the item at `start` to a leaf, past the earlier child at each level and past the right
    /// one of equals, then up to its place.
    fn sink(&mut self, start: usize) {
        let mut at = start;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let child = match (self.0.get(left), self.0.get(right)) {
                (None, _) => break,
                (Some(l), Some(r)) if l.0 >= r.0 => right,
                (Some(_), _) => left,
            };
            self.0.swap(at, child);
            at = child;
        }
        self.rise(start, at);
    }

    /// Moves the item at `at` towards `start` until its parent is not later.
    fn rise(&mut self, start: usize, mut at: usize) {
        while at > start {
            let parent = (at - 1) / 2;
            if self.0[at].0 >= self.0[parent].0 {
                break;
            }
            self.0.swap(at, parent);
            at = parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Heap;

    #[test]
    fn the_earliest_comes_first_and_ties_as_in_heapq() {
        let mut heap = Heap::default();
        for (when, name) in [(2.0, 'a'), (1.0, 'b'), (1.0, 'c'), (1.0, 'd'), (1.0, 'e')] {
            heap.push(when, name);
        }
        assert_eq!(heap.pop_before(1.0), None);
        let order: String = std::iter::from_fn(|| heap.pop_before(3.0)).collect();
        // As Python gives them.
        assert_eq!(order, "bceda");
        assert!(heap.is_empty());
    }
}
