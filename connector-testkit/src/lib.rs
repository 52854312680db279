//! What tests of connectors need: stateful fakes of both SaaS APIs and a throwaway PostgreSQL.

#[cfg(feature = "fakes")]
pub mod fakes;
#[cfg(feature = "postgres")]
pub mod postgres;
