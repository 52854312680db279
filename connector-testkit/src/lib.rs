//! What tests of connectors need: conformance suites for anyone's connector; stateful fakes of both SaaS APIs
//! (feature `fakes`) and a throwaway PostgreSQL (feature `postgres`).

pub mod conformance;
#[cfg(feature = "fakes")]
pub mod fakes;
#[cfg(feature = "postgres")]
pub mod postgres;
