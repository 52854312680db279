//! The store through HTTP.

mod client;
mod customers;
mod faults;
mod gate;
mod orders;
mod records;
