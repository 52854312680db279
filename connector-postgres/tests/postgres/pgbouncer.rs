//! A real `PgBouncer` in transaction mode.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use connector_postgres::Config;

use crate::program::{Account, Program, Running};

static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::find("pgbouncer", "pgbouncer"));

/// One in front of the server of `config`.
pub(crate) struct PgBouncer {
    port: u16,
    _running: Running,
}

impl PgBouncer {
    /// Starts one that has `sessions` sessions for each database.
    pub(crate) fn start(config: &Config, sessions: usize) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("pgbouncer-")
            .tempdir()
            .unwrap()
            .keep();
        let account = Account::find();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let password = config.password.as_ref().map(|secret| secret.reveal().to_owned());
        let users = folder.join("users");
        account.write(
            &users,
            &format!("\"{}\" \"{}\"", config.user, password.unwrap_or_default()),
        );
        let settings = folder.join("pgbouncer.ini");
        account.write(
            &settings,
            &format!(
                "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
                 default_pool_size = {sessions}\nmax_client_conn = 200\nquery_wait_timeout = 120\n",
                config.server,
                config.port,
                users.display()
            ),
        );
        account.give(&folder);
        Self {
            port,
            _running: Running::start(&PROGRAM, &account, folder, &[settings.into()], port),
        }
    }

    /// The same connection, through this.
    pub(crate) fn in_front_of(&self, config: &Config) -> Config {
        let mut config = config.clone();
        "127.0.0.1".clone_into(&mut config.server);
        config.port = self.port;
        config
    }
}
