//! Which customer placed which order.

use crate::fakes::seed::mix;

/// How many orders the customers of a block of eight have, where the average is 1.
const ONE: [u64; 8] = [0, 1, 0, 2, 1, 3, 0, 1];
/// The same for an average of 2; the surplus is the same for every larger average.
const TWO: [u64; 8] = [0, 1, 2, 3, 1, 6, 2, 1];
/// A prime larger than any number of orders: its multiples visit every slot once.
const STRIDE: u128 = 1_000_000_000_039;

/// The customers of all orders, computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderPlan {
    customers: u64,
    average: u64,
    total: u64,
}

impl OrderPlan {
    pub(super) fn new(customers: u64, average: u64, guests: u64) -> Self {
        Self {
            customers,
            average,
            total: customers * average + guests,
        }
    }

    /// Number of seeded orders.
    pub(super) fn total(self) -> u64 {
        self.total
    }

    /// The number of the customer who placed order `n`; none for a guest, and for orders that aren't seeded.
    pub(super) fn customer(self, n: u64) -> Option<u64> {
        if n == 0 || n > self.total {
            return None;
        }
        let slot = u128::from(n) * STRIDE % u128::from(self.total);
        let slot = u64::try_from(slot)
            .ok()
            .filter(|&slot| slot < self.customers * self.average)?;
        let block = slot / (8 * self.average);
        if block >= self.customers / 8 {
            // The last few customers, who make no block, have the average each.
            return Some(slot / self.average + 1);
        }
        let mut left = slot % (8 * self.average);
        for place in 0..8 {
            let orders = self.orders(block, place);
            if left < orders {
                return Some(block * 8 + place + 1);
            }
            left -= orders;
        }
        None
    }

    fn orders(self, block: u64, place: u64) -> u64 {
        let turned = usize::try_from((place + mix(block, 100)) % 8).unwrap_or_default();
        if self.average == 1 {
            ONE[turned]
        } else {
            TWO[turned] + self.average.saturating_sub(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_order_is_placed_once() {
        for average in [0, 1, 2, 3] {
            let plan = OrderPlan::new(100, average, 7);
            let mut counts: BTreeMap<Option<u64>, u64> = BTreeMap::new();
            for n in 1..=plan.total() {
                *counts.entry(plan.customer(n)).or_default() += 1;
            }
            assert_eq!(counts.remove(&None), Some(7));
            assert_eq!(counts.values().sum::<u64>(), 100 * average);
            assert!(
                counts
                    .keys()
                    .all(|customer| customer.is_some_and(|n| (1..=100).contains(&n)))
            );
            let most = [0, 3, 6, 7][usize::try_from(average).unwrap()];
            assert_eq!(counts.values().copied().max().unwrap_or_default(), most);
        }
    }
}
