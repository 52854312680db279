//! PostgreSQL through SSH: a real sshd, which these tests find or fetch and start by themselves, and for passwords
//! an SSH server within the program, since only root's sshd can check them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

#[path = "../postgres/tls_server.rs"]
mod tls_server;

mod keys_of_users;
mod password_server;
mod program;
mod sshd;
mod support;

mod host_keys;
mod passwords;
mod sessions;
mod unreachable;
