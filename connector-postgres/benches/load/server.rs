//! A server that keeps what it is told as an installed one does, and what CPU time it took.

use connector_testkit::postgres::{Options, Postgres};

/// Ticks of the clock in which the kernel counts CPU time, in a second.
const TICKS: f64 = 100.0;

pub(crate) struct Server {
    server: Postgres,
    postmaster: u32,
}

impl Server {
    pub(crate) fn start() -> Self {
        let settings = [
            ("wal_level", "replica"),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            // What runs at its own times would fall on one side or the other.
            ("autovacuum", "off"),
            ("checkpoint_timeout", "1h"),
            ("max_wal_size", "16GB"),
            ("shared_buffers", "512MB"),
            ("maintenance_work_mem", "256MB"),
        ];
        let options = Options {
            database_url: None,
            durable: true,
            settings: settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            ..Options::from_env()
        };
        let server = tokio::task::block_in_place(|| Postgres::start(&options))
            .unwrap_or_else(|error| panic!("{error}"));
        let postmaster = postmaster(server.url());
        Self { server, postmaster }
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// Seconds of CPU time that the server's processes took so far, those that have ended included.
    pub(crate) fn cpu(&self) -> f64 {
        let own = stat(self.postmaster).unwrap();
        let ended = own.times.iter().sum::<u64>();
        let running: u64 = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(stat)
            .filter(|process| process.parent == self.postmaster)
            .map(|process| process.times[0] + process.times[1])
            .sum();
        (ended + running) as f64 / TICKS
    }
}

struct Stat {
    parent: u32,
    /// User and system time, its own and that of the children it waited for.
    times: [u64; 4],
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, which may hold anything, ends with the last parenthesis.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |i: usize| fields.get(i)?.parse().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        times: [number(11)?, number(12)?, number(13)?, number(14)?],
    })
}

/// CPU time of the programs that this one has run to their ends.
pub(crate) fn children_cpu() -> f64 {
    let own = stat(std::process::id()).unwrap();
    (own.times[2] + own.times[3]) as f64 / TICKS
}

/// The process of the server, by the session of a `psql`.
fn postmaster(url: &str) -> u32 {
    let url: url::Url = url.parse().unwrap();
    let listening = format!("{:04X}", url.port().unwrap());
    let inode = ["/proc/net/tcp"]
        .iter()
        .flat_map(|file| {
            std::fs::read_to_string(file)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = fields.get(3) == Some(&"0A") && fields.get(1)?.ends_with(&format!(":{listening}"));
            listens.then(|| fields[9].to_owned())
        })
        .unwrap();
    let socket = format!("socket:[{inode}]");
    let holds = |pid: &u32| {
        std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|mut files| {
            files.any(|file| {
                file.is_ok_and(|file| {
                    std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == socket.as_str())
                })
            })
        })
    };
    let mut holders: Vec<u32> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(holds)
        .collect();
    holders.sort_unstable();
    holders[0]
}
