//! A list of record numbers, small where they follow each other.

/// Record numbers in the order of a query's answer, kept as runs.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSet {
    runs: Vec<Run>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    /// Place of the run's first number in the list.
    place: usize,
    first: u64,
    len: usize,
}

impl RowSet {
    pub(super) fn push(&mut self, n: u64) {
        match self.runs.last_mut() {
            Some(run) if run.first + run.len as u64 == n => run.len += 1,
            _ => self.runs.push(Run {
                place: self.len,
                first: n,
                len: 1,
            }),
        }
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The numbers at the places `from..from + count`, as far as there are any.
    pub(super) fn slice(&self, from: usize, count: usize) -> impl Iterator<Item = u64> + '_ {
        let start = self.runs.partition_point(|run| run.place + run.len <= from);
        let end = from.saturating_add(count);
        self.runs[start..]
            .iter()
            .take_while(move |run| run.place < end)
            .flat_map(move |run| {
                let skip = from.saturating_sub(run.place);
                let stop = run.len.min(end - run.place);
                (skip..stop).map(move |offset| run.first + offset as u64)
            })
    }
}

impl FromIterator<u64> for RowSet {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|n| set.push(n));
        set
    }
}
