//! Sets of message ids as sorted, disjoint, inclusive ranges.
//!
//! A checkpoint is such a set, not a number: pages arrive out of order and history
//! is filled from both ends, so "up to N" could not say what was really seen.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A set of ids. Serialised as `[[first, last], …]`, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(from = "Vec<(u32, u32)>", into = "Vec<(u32, u32)>")]
#[schema(value_type = Vec<Vec<u32>>)]
#[schemars(with = "Vec<(u32, u32)>")]
pub struct IdRanges(Vec<(u32, u32)>);

impl IdRanges {
    /// Adds a range; an empty one (first > last) changes nothing.
    pub fn insert(&mut self, range: RangeInclusive<u32>) {
        let (mut first, mut last) = (*range.start(), *range.end());
        if first > last {
            return;
        }
        // Everything from `from` to `to` touches or overlaps the new range and melts into it.
        let from = self.0.partition_point(|&(_, end)| end.saturating_add(1) < first);
        let to = self
            .0
            .partition_point(|&(start, _)| start <= last.saturating_add(1));
        if from < to {
            first = first.min(self.0[from].0);
            last = last.max(self.0[to - 1].1);
        }
        self.0.splice(from..to, [(first, last)]);
    }

    /// True when the id is in the set.
    pub fn contains(&self, id: u32) -> bool {
        let at = self.0.partition_point(|&(_, end)| end < id);
        self.0.get(at).is_some_and(|&(start, _)| start <= id)
    }

    /// What of `within` is not in the set, ascending.
    #[must_use]
    pub fn missing(&self, within: RangeInclusive<u32>) -> Self {
        // One beyond the highest id there can be must be sayable, hence the wider number.
        let (mut next, last) = (u64::from(*within.start()), u64::from(*within.end()));
        let mut gaps = Vec::new();
        for &(start, end) in &self.0 {
            let (start, end) = (u64::from(start), u64::from(end));
            if start > last {
                break;
            }
            if start > next {
                gaps.push((next as u32, (start - 1) as u32));
            }
            next = next.max(end + 1);
        }
        if next <= last {
            gaps.push((next as u32, last as u32));
        }
        Self(gaps)
    }

    /// How many ids the set holds.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|&(a, b)| u64::from(b - a) + 1).sum()
    }

    /// True for the empty set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest id, if any.
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|r| r.1)
    }

    /// The lowest id, if any.
    pub fn first(&self) -> Option<u32> {
        self.0.first().map(|r| r.0)
    }

    /// The ranges, ascending and disjoint.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RangeInclusive<u32>> + '_ {
        self.0.iter().map(|&(a, b)| a..=b)
    }
}

impl From<Vec<(u32, u32)>> for IdRanges {
    fn from(pairs: Vec<(u32, u32)>) -> Self {
        let mut set = Self::default();
        for (a, b) in pairs {
            set.insert(a..=b);
        }
        set
    }
}

impl From<IdRanges> for Vec<(u32, u32)> {
    fn from(set: IdRanges) -> Self {
        set.0
    }
}

impl FromIterator<u32> for IdRanges {
    fn from_iter<T: IntoIterator<Item = u32>>(ids: T) -> Self {
        let mut set = Self::default();
        for id in ids {
            set.insert(id..=id);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_set_of_numbers(ranges in prop::collection::vec((0_u32..60, 0_u32..9), 0..20), probe in 0_u32..70) {
            let mut set = IdRanges::default();
            let mut model = BTreeSet::new();
            for (first, len) in ranges {
                set.insert(first..=first + len);
                model.extend(first..=first + len);
            }
            prop_assert_eq!(set.contains(probe), model.contains(&probe));
            prop_assert_eq!(set.len(), model.len() as u64);
            prop_assert_eq!(set.last(), model.last().copied());
            let gaps: Vec<u32> = set.missing(5..=65).iter().flatten().collect();
            let expected: Vec<u32> = (5..=65).filter(|i| !model.contains(i)).collect();
            prop_assert_eq!(gaps, expected);
            let touching = set.iter().zip(set.iter().skip(1)).any(|(a, b)| *a.end() + 1 >= *b.start());
            prop_assert!(!touching, "ranges must stay disjoint and apart");
        }
    }

    #[test]
    fn the_ends_of_the_number_line_hold() {
        let mut set = IdRanges::default();
        set.insert(u32::MAX..=u32::MAX);
        set.insert(0..=0);
        assert_eq!(set.missing(0..=u32::MAX).len(), u64::from(u32::MAX) - 1);
    }
}
