//! Faults by operation: at the nth, at every kth, by chance.

use std::sync::{Mutex, PoisonError};

use super::action::Action;
use super::event::{IoEvent, Phase};
use super::events::Hook;
use super::operation::Operation;
use super::random::Random;

/// Rules that say what happens to which calls.
///
/// Each rule counts the calls it is about. Where several apply, the one that was added first acts. The seed stands in
/// the `Debug` output: a run that failed by chance is had again by it.
#[derive(Debug)]
pub struct Script {
    seed: u64,
    rules: Mutex<Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    /// `None`: all of them.
    operation: Option<Operation>,
    occasion: Occasion,
    action: Action,
    matched: u64,
    fired: u64,
    random: Random,
}

/// Which of the calls that a rule is about it acts on.
#[derive(Clone, Debug)]
#[must_use]
pub struct Occasion {
    when: When,
    phase: Phase,
    who: Option<String>,
    times: u64,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Nth(u64),
    Every(u64),
    Chance(f64),
}

/// The `n`th call, from 1; once.
pub fn nth(n: u64) -> Occasion {
    Occasion::new(When::Nth(n), 1)
}

/// Every `k`th call: the `k`th, the one `k` after, and so on. 0: none.
pub fn every(k: u64) -> Occasion {
    Occasion::new(When::Every(k), u64::MAX)
}

/// Each call with this probability, from 0 to 1, as the script's seed has it.
pub fn chance(probability: f64) -> Occasion {
    Occasion::new(When::Chance(probability), u64::MAX)
}

impl Occasion {
    fn new(when: When, times: u64) -> Self {
        Self {
            when,
            phase: Phase::Before,
            who: None,
            times,
        }
    }

    /// After the call was carried out, rather than before.
    pub fn after(mut self) -> Self {
        self.phase = Phase::After;
        self
    }

    /// Only calls to the connector of this name.
    pub fn of(mut self, who: impl Into<String>) -> Self {
        self.who = Some(who.into());
        self
    }

    /// At most so often; for [`nth`], so many calls in a row.
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}

impl Script {
    /// No rules yet, and a seed that is always the same.
    pub fn new() -> Self {
        Self::seeded(0)
    }

    /// No rules yet, and this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            rules: Mutex::default(),
        }
    }

    /// Adds a rule about one operation.
    #[must_use]
    pub fn on(self, operation: Operation, occasion: Occasion, action: Action) -> Self {
        self.with(Some(operation), occasion, action)
    }

    /// Adds a rule about all operations.
    #[must_use]
    pub fn on_any(self, occasion: Occasion, action: Action) -> Self {
        self.with(None, occasion, action)
    }

    /// How often rules have acted: a test whose fault never came has tested nothing.
    pub fn fired(&self) -> u64 {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().map(|rule| rule.fired).sum()
    }

    fn with(mut self, operation: Option<Operation>, occasion: Occasion, action: Action) -> Self {
        let rules = self.rules.get_mut().unwrap_or_else(PoisonError::into_inner);
        let random = Random::new(self.seed, rules.len() as u64);
        rules.push(Rule {
            operation,
            occasion,
            action,
            matched: 0,
            fired: 0,
            random,
        });
        self
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Hook for Script {
    fn on(&self, event: &IoEvent) -> Action {
        let mut action = None;
        for rule in &mut *self.rules.lock().unwrap_or_else(PoisonError::into_inner) {
            // Every rule counts, whether or not an earlier one acts.
            if rule.is_due(event) && action.is_none() {
                rule.fired += 1;
                action = Some(rule.action);
            }
        }
        action.unwrap_or_default()
    }
}

impl Rule {
    fn is_due(&mut self, event: &IoEvent) -> bool {
        let Occasion {
            when,
            phase,
            who,
            times,
        } = &self.occasion;
        let about = self.operation.is_none_or(|known| known == event.operation)
            && *phase == event.phase
            && who.as_deref().is_none_or(|known| known == &*event.who);
        if !about {
            return false;
        }
        self.matched += 1;
        let due = match *when {
            When::Nth(n) => self.matched >= n,
            When::Every(k) => self.matched.checked_rem(k) == Some(0),
            When::Chance(probability) => self.random.share() < probability,
        };
        due && self.fired < *times
    }
}
