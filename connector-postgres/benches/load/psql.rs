//! The other side: `psql`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::lead::FIELDS;
use crate::measure::peak_kib;

pub(crate) struct Psql {
    url: String,
    folder: TempDir,
    /// The most memory that one has had, in KiB.
    peak: AtomicU64,
}

impl Psql {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            peak: AtomicU64::new(0),
        }
    }

    /// The most memory that a `psql` has had since this was last asked, in KiB.
    pub(crate) fn take_peak(&self) -> u64 {
        self.peak.swap(0, Ordering::Relaxed)
    }

    /// Looks at the memory of a `psql` for as long as it runs: the kernel keeps the peak, but only that long.
    fn watch(&self, psql: &mut Child) {
        let pid = psql.id().to_string();
        while psql.try_wait().unwrap().is_none() {
            if let Some(peak) = peak_kib(&pid) {
                self.peak.fetch_max(peak, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs commands, each of which `psql` takes as a `-c`; returns what they print.
    fn commands(&self, commands: &[&str]) -> String {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url]);
        for command in commands {
            psql.args(["-c", command]);
        }
        let mut psql = psql
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("this bench needs `psql` in the search path: {error}"));
        // It prints a line at most, which the pipe takes.
        self.watch(&mut psql);
        let output = psql.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs statements one by one.
    pub(crate) fn run(&self, statements: &str) {
        let statements: Vec<&str> = statements.split("; ").collect();
        self.commands(&statements);
    }

    /// Writes a table into a CSV file.
    pub(crate) fn export(&self, table: &str) -> PathBuf {
        let file = self.folder.path().join(format!("{table}.csv"));
        self.commands(&[&format!(
            "\\copy {table} to '{}' with (format csv)",
            file.display()
        )]);
        file
    }

    pub(crate) fn copy_in(&self, table: &str, file: &Path) {
        self.commands(&[&format!(
            "\\copy {table} from '{}' with (format csv)",
            file.display()
        )]);
    }

    pub(crate) fn copy_out(&self, table: &str) {
        self.commands(&[&format!(
            "\\copy (select * from {table}) to '/dev/null' with (format csv)"
        )]);
    }

    /// By way of a temporary table, as one does by hand.
    pub(crate) fn merge(&self, table: &str, file: &Path) {
        let set: Vec<String> = FIELDS
            .iter()
            .filter(|(name, _, _)| *name != "Id")
            .map(|(name, _, _)| format!("\"{name}\" = excluded.\"{name}\""))
            .collect();
        self.commands(&[
            "BEGIN",
            &format!("CREATE TEMP TABLE stage (LIKE {table}) ON COMMIT DROP"),
            &format!("\\copy stage from '{}' with (format csv)", file.display()),
            &format!(
                "INSERT INTO {table} SELECT * FROM stage ON CONFLICT (\"Id\") DO UPDATE SET {}",
                set.join(", ")
            ),
            "COMMIT",
        ]);
    }

    /// Panics where the two tables are not the same.
    pub(crate) fn assert_same(&self, a: &str, b: &str) {
        let differences = self.commands(&[&format!(
            "SELECT count(*) FROM {a} x FULL JOIN {b} y USING (\"Id\") WHERE x IS DISTINCT FROM y"
        )]);
        assert_eq!(differences.trim(), "0", "{a} and {b} differ");
    }
}
