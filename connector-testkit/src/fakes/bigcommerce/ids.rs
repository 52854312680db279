//! Ids with gaps that can be computed from a record's number and back.

/// Which ids exist: the same few places of every ten, counted from a first id.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdScheme {
    first: u64,
    places: &'static [u64],
}

/// Ids of customers: 1, 2, 4, 5, 6, 8, 10, 11, ...
pub(super) const CUSTOMER_IDS: IdScheme = IdScheme {
    first: 1,
    places: &[0, 1, 3, 4, 5, 7, 9],
};

/// Ids of orders: 100, 101, 102, 104, ...
pub(super) const ORDER_IDS: IdScheme = IdScheme {
    first: 100,
    places: &[0, 1, 2, 4, 5, 6, 7, 8, 9],
};

impl IdScheme {
    /// The id of record `number`, as counted from 1.
    pub(super) fn id(self, number: u64) -> u64 {
        let index = number.saturating_sub(1);
        let per_ten = self.places.len() as u64;
        let place = usize::try_from(index % per_ten).unwrap_or_default();
        self.first + index / per_ten * 10 + self.places[place]
    }

    /// The number of the record with this id; none for the ids of a gap.
    pub(super) fn number(self, id: u64) -> Option<u64> {
        let number = self.numbers_below(id) + 1;
        (self.id(number) == id).then_some(number)
    }

    /// How many ids are smaller than `id`.
    pub(super) fn numbers_below(self, id: u64) -> u64 {
        let Some(offset) = id.checked_sub(self.first) else {
            return 0;
        };
        let before = self.places.iter().filter(|&&place| place < offset % 10).count() as u64;
        (offset / 10)
            .saturating_mul(self.places.len() as u64)
            .saturating_add(before)
    }
}
