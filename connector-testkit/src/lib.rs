//! What tests of connectors need: faults on demand, stateful fakes of both SaaS APIs and a throwaway PostgreSQL.

#[cfg(feature = "fakes")]
pub mod fakes;
pub mod faults;
#[cfg(feature = "postgres")]
pub mod postgres;
