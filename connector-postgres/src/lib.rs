//! PostgreSQL as a source, a destination, a state store and a journal.
//!
//! Rows, rejected rows and the checkpoint commit in one transaction whose last statement moves the task's row *where*
//! epoch and commit number are the expected ones: a second process on the same task, or a paused one that wakes up,
//! cannot commit. A new table is loaded by binary COPY before its key is made; an existing one through a temporary
//! table and a merge that touches only rows that differ. An overwrite builds a table beside the one it replaces.
//! A row that only the server refuses is found by halves within the transaction, and the others land.
//!
//! # What writes add of their own
//! A history's table has `_valid_from timestamptz`, `_valid_to timestamptz` and `_current boolean`; its primary key is
//! the key and `_valid_from`, and a partial unique index keeps one version of each key current. A version begins when
//! its transaction began, or just after the one before it if the clock went back; columns of others are taken over
//! from that one, those with a sequence of their own excepted. Soft deletes add `_deleted_at timestamptz`. Deleted
//! rows that somebody else's foreign key holds are rejected one by one, but such a row fails a prune as a whole.
//!
//! # More fields than a table holds
//! A table has 1,600 columns at most, dropped ones included, and a row must fit a page of 8 kB, in which a long value still
//! takes 18 bytes. So a table that is made has columns for the first fields only for which a row fits whatever it holds
//! (about 330 of text, 1,000 of `bigint`); the fields after them go into one more, `_rest jsonb`, by their names. Null is
//! left out there, so that `_rest->>'name'` is a folded field as a column would be, and a record that leaves some of them
//! unset changes only the others. Keys, fields to keep and fields that were written back always have columns.
//!
//! Columns stay columns, and a table that has `_rest` keeps new fields there: what is where does not change from run to
//! run. To give a folded field a column of its own, add that by hand and read everything anew: the field leaves `_rest` row
//! by row as it is written.
//!
//! # Prunes and write-backs
//! A prune collects its names in a table beside the one that is pruned. Rows whose last change is younger than the
//! oldest transaction that was open on the server when the sweep began are left to the next one: while such a
//! transaction runs, nobody can tell whether they are older than the sweep.
//!
//! As the source of a write-back, the difference between a table and what the other side has confirmed is computed
//! and stored in one statement, then read in short ones; nothing is written to the table itself.
//!
//! # Reading
//! Tables, views and queries are read as of one moment, in a transaction that cannot write. A table with a primary key is
//! read in chunks of it, unless its rows are known to lie in no order of it: a read that was cut short goes on after the last
//! whole chunk, and [`read_sessions`](Config::read_sessions) sessions read chunks at once, all as of the same moment. Filters are applied
//! by the server; text is compared by its bytes, whatever the database's language is.
//!
//! An incremental read of a table takes the rows that were written by transactions which had not ended when the last read
//! began. A cursor such as `updated_at` cannot do that: a transaction has taken its value long before it commits. So the
//! cursor need not even be one, and `xmin` as the name of the cursor says that there is none. The price is a pass over the
//! table, for no index has the numbers of transactions; while a transaction is open on the server for long, what was
//! written since it began comes again. Whoever knows how long transactions take gives `settle`: then a cursor that is a
//! date or a time is read by its index from that long before the newest value on. Views, foreign tables and queries have
//! no numbers of transactions, and are always read so (five minutes unless told), or by the greatest value where the
//! cursor is no time. Rows without a value come in any case. The plan says which it is, and what can be missed. Rows that
//! are deleted are not seen.
//!
//! # Connecting
//! Towards other machines a connection is encrypted, and certificate and name are verified, unless [`SslMode`] says
//! otherwise. With the feature `ssh`, [`SshTunnel`] leads through an SSH server, without a local port: the name that
//! is verified stays the database's. A server that shows a key nobody vouches for is refused.
//!
//! What a session is given for its whole life (its settings, the lock of a lease) needs a session of one's own:
//! PostgreSQL itself, or a pooler in session mode. Through one in transaction mode, say so with [`PoolMode`].
//!
//! A future that is dropped has its statement cancelled and its transaction rolled back.
//!
//! # Rights, and what is kept
//! [`LeastRights`] is a script that makes a role for this connector. Which rights a write lacks, its plan says, all of
//! them at once and each with the statement that grants it.
//!
//! States, journals and rejections are in the schema [`Config::state_schema`], made and migrated by whoever needs it
//! first. Rejections stay for [`Config::retention`], without what their records held unless [`Config::keep_payload`]
//! says otherwise.

mod config;
mod connect;
mod connector;
mod dial;
mod error;
mod ident;
mod pem;
mod tls;
mod tunnel;
mod types;

mod catalog;
mod copy;

mod difference;
mod reader;
mod replication;
mod source;

mod column;
mod destination;
mod differ;
mod fingerprint;
mod fit;
mod history;
mod limits;
mod load;
mod merge;
mod overflow;
mod own;
mod plan;
mod prune;
mod rights;
mod shadow;
mod shape;
mod stage;
mod swap;
mod table;
mod writer;

mod journal;
mod lease;
mod retention;
mod role;
mod state_schema;
mod state_store;
mod statements;

pub use config::{Config, PoolMode, SslMode};
pub use connector::Postgres;
pub use pem::Pem;
pub use replication::{Replication, Slot};
pub use role::LeastRights;
pub use tunnel::{SshAuth, SshHostKey, SshTunnel};
