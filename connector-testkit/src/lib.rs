//! What tests of connectors need: conformance suites and faults for anyone's connector; stateful fakes of both SaaS APIs
//! (feature `fakes`) and a throwaway PostgreSQL (feature `postgres`).

pub mod conformance;
#[cfg(feature = "fakes")]
pub mod fakes;
pub mod faults;
#[cfg(feature = "postgres")]
pub mod postgres;
