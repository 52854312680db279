//! The other side: `psql` and `curl`.

use std::process::{Command, Stdio};

use connector_testkit::postgres::{Options, Postgres};

pub(crate) struct Psql {
    server: Postgres,
}

impl Psql {
    /// A server whose table holds the rows that the connector writes.
    pub(crate) fn start(count: u64) -> Self {
        let options = Options {
            database_url: None,
            ..Options::from_env()
        };
        let server = tokio::task::block_in_place(|| Postgres::start(&options));
        let psql = Self {
            server: server.unwrap_or_else(|error| panic!("{error}")),
        };
        psql.run(&format!(
            "CREATE TABLE lead AS SELECT '00Q' || lpad(n::text, 12, '0') || 'AAA' AS \"Id\",
                (n % 99999 / 100.0)::numeric(5, 2) AS \"LeadScore__c\",
                (ARRAY['gold', 'silver', 'bronze'])[1 + n % 3] AS \"Tier__c\",
                format('opened %s mails, asked for a price', n % 17) AS \"Reason__c\", n % 1000 AS \"Visits__c\"
             FROM generate_series(0, {}) AS n",
            count - 1
        ));
        psql.run("VACUUM ANALYZE lead");
        psql
    }

    fn psql(&self, command: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            self.server.url(),
            "-c",
            command,
        ]);
        psql.stdin(Stdio::null());
        psql
    }

    fn run(&self, command: &str) {
        let status = self.psql(command).status();
        let status =
            status.unwrap_or_else(|error| panic!("this bench needs `psql` in the search path: {error}"));
        assert!(status.success());
    }

    /// Copies the rows out, into an upload.
    pub(crate) fn send(&self, url: &str) {
        let copy = "\\copy (select * from lead) to stdout with (format csv, header)";
        let mut psql = self.psql(copy).stdout(Stdio::piped()).spawn().unwrap();
        let curl = Command::new("curl")
            .args(["-sS", "-f", "-H", "Content-Type: text/csv", "-T", "-"])
            .arg(format!("{url}services/data/v62.0/jobs/ingest/750by_curl/batches"))
            .stdin(psql.stdout.take().unwrap())
            .status();
        let curl = curl.unwrap_or_else(|error| panic!("this bench needs `curl` in the search path: {error}"));
        assert!(curl.success() && psql.wait().unwrap().success());
    }
}
