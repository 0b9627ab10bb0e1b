//! Sets of whole numbers, such as the seconds of a video or days, as ranges.

/// A set of whole numbers as ascending ranges `from..to`, with a gap between any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(i32, i32)>);

impl Ranges {
    /// The set of all numbers in some ranges `from..to`, in any order; empty ones are ignored.
    pub fn new(mut ranges: Vec<(i32, i32)>) -> Ranges {
        ranges.retain(|(from, to)| from < to);
        ranges.sort_unstable();
        let mut merged: Vec<(i32, i32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Ranges(merged)
    }

    /// Reads what [`Ranges::to_column`] has written.
    pub fn of_column(numbers: &[i32]) -> Ranges {
        Ranges::new(numbers.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect())
    }

    /// The ranges as from, to, from, to.
    pub(crate) fn to_column(&self) -> Vec<i32> {
        self.0.iter().flat_map(|(from, to)| [*from, *to]).collect()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i32, i32)> {
        self.0.iter().copied()
    }

    /// Adds the numbers of another set.
    pub(crate) fn add(&mut self, other: &Ranges) {
        let mut all = std::mem::take(&mut self.0);
        all.extend(other.iter());
        *self = Ranges::new(all);
    }

    /// How many numbers are in the set.
    pub(crate) fn len(&self) -> i32 {
        self.0.iter().fold(0, |sum: i32, (from, to)| sum.saturating_add(to.saturating_sub(*from)))
    }

    /// The `most` smallest numbers of the set.
    pub fn first(&self, most: i32) -> Ranges {
        let mut left = most.max(0);
        let mut taken = Vec::new();
        for (from, to) in self.iter() {
            let size = to.saturating_sub(from).min(left);
            if size > 0 {
                taken.push((from, from + size));
                left -= size;
            }
        }
        Ranges(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers(ranges: &Ranges) -> BTreeSet<i32> {
        ranges.iter().flat_map(|(from, to)| from..to).collect()
    }

    proptest! {
        #[test]
        fn ranges_are_what_a_set_of_numbers_is(
            one in prop::collection::vec((0..60_i32, 0..60_i32), 0..6),
            other in prop::collection::vec((0..60_i32, 0..60_i32), 0..6),
            most in -1..80_i32,
        ) {
            let set = |ranges: &[(i32, i32)]| -> BTreeSet<i32> { ranges.iter().flat_map(|(from, to)| *from..*to).collect() };
            let mut ranges = Ranges::new(one.clone());
            prop_assert_eq!(numbers(&ranges), set(&one));
            ranges.add(&Ranges::new(other.clone()));
            let both: BTreeSet<i32> = set(&one).union(&set(&other)).copied().collect();
            prop_assert_eq!(numbers(&ranges), both.clone());
            prop_assert_eq!(usize::try_from(ranges.len()).unwrap(), both.len());
            let gaps = ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0);
            prop_assert!(gaps, "{:?}", ranges);
            let first: BTreeSet<i32> = both.iter().take(usize::try_from(most).unwrap_or(0)).copied().collect();
            prop_assert_eq!(numbers(&ranges.first(most)), first);
            prop_assert_eq!(Ranges::of_column(&ranges.to_column()), ranges);
        }
    }
}
