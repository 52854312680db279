//! States and a journal in a folder, for programs without a database among their connections.
//!
//! ```text
//! store.lock          held for the moment of each call
//! NAME.json           one task: who holds it, how often it was claimed, its state, its open tickets
//! NAME.lease          locked by the process that holds the task, for as long as it does
//! NAME.journal        one target: what became of its records
//! ```
//! A name is what is harmless of the task or the target, and a hash of all of it; the file says in full whose it is.

mod folder;
mod journal;
mod line;
mod task_file;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::{
    Claim, Clock, Counts, Error, ErrorKind, Fate, Fence, Holder, Intent, Journal, Key, Rest, Result,
    Standing, State, StateStore, SystemClock, Target, TaskId, Ticket,
};

use self::folder::{Folder, Lock};
use self::journal::{Entry, TargetLog};
use self::task_file::TaskFile;

/// A folder that keeps the states of tasks, and the journal of their writes.
///
/// A handle, cheap to clone. Several processes may use one folder, if it is on a file system with locks: a task is
/// held by one of them at a time, and by nobody once that process has ended, however it did.
///
/// What a call has stored is on the disk when it returns. Calls do their file work, at most a few small files with a
/// flush to the disk each, on the thread that polls them; they wait while another call is at work in the folder, ten
/// seconds at most. The first call about a target reads its journal, and its keys stay in memory.
///
/// Deleting a task's `.json` while nobody holds the task resets it. The reasons of refusals are in the run's report
/// only, and values are not stored: a source cannot leave out of a write-back what was confirmed here.
#[derive(Clone)]
pub struct FileStore {
    inner: Arc<Inner>,
    clock: Arc<dyn Clock>,
}

struct Inner {
    folder: Folder,
    /// By the file's path.
    logs: Mutex<HashMap<PathBuf, TargetLog>>,
}

/// The folder, as long as no other call is at work in it.
struct Exclusive<'a> {
    folder: &'a Folder,
    logs: MutexGuard<'a, HashMap<PathBuf, TargetLog>>,
    _lock: Lock,
}

impl FileStore {
    /// The store in the folder `path`, which is made if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: something else is there. [`ErrorKind::Forbidden`]: the right to write in it is missing.
    /// [`ErrorKind::Unsupported`]: its file system has no locks.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let store = Self {
            inner: Arc::new(Inner {
                folder: Folder::open(path.as_ref())?,
                logs: Mutex::default(),
            }),
            clock: Arc::new(SystemClock),
        };
        store.exclusive()?;
        Ok(store)
    }

    /// The same, with another clock: it says since when a task is held.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What is known of the record `key` of `target`; `None`: nothing was ever stored about it.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: the journal is damaged, or of a newer version.
    pub fn standing(&self, target: &Target, key: &Key) -> Result<Option<Standing>> {
        let mut folder = self.exclusive()?;
        folder.log(target).standing(key)
    }

    fn exclusive(&self) -> Result<Exclusive<'_>> {
        // What a panic has left half done is read anew.
        let logs = self.inner.logs.lock().unwrap_or_else(|poisoned| {
            let mut logs = PoisonError::into_inner(poisoned);
            logs.clear();
            logs
        });
        Ok(Exclusive {
            folder: &self.inner.folder,
            logs,
            _lock: self.inner.folder.lock()?,
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileStore")
            .field(&self.inner.folder.path())
            .finish()
    }
}

#[async_trait]
impl StateStore for FileStore {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        let work = self.exclusive()?;
        let Some(lease) = work.folder.lease(task.as_str())? else {
            return Err(held_by_another(work.folder, task)?);
        };
        work.folder.sweep()?;
        let mut file = TaskFile::read(work.folder, task)?.unwrap_or_else(|| TaskFile::new(task));
        file.claim(holder, self.clock.now());
        file.write(work.folder)?;
        let fence = Fence {
            task: task.clone(),
            epoch: file.epoch,
            commit_no: file.commit_no,
        };
        Ok(Claim::new(fence, file.state, file.open).with_lease(lease))
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        let work = self.exclusive()?;
        let mut file = work.check(fence)?;
        file.commit_no += 1;
        file.state = Some(state.clone());
        file.write(work.folder)
    }
}

#[async_trait]
impl Journal for FileStore {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        let mut work = self.exclusive()?;
        let mut file = work.check(fence)?;
        // The ticket first: one without records is looked up in vain, records without theirs not at all.
        if let Some(ticket) = intent.ticket
            && !file.open.contains(ticket)
        {
            file.open.push(ticket.clone());
            file.write(work.folder)?;
        }
        let entry = Entry::Intend {
            keys: intent.keys.to_vec(),
            ticket: intent.ticket.cloned(),
        };
        work.append(target, entry).map(drop)
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let mut work = self.exclusive()?;
        work.check(fence)?;
        let fates = fates
            .iter()
            .map(|fate| (fate.key.clone(), Standing::after(&fate.outcome)))
            .collect();
        work.append(target, Entry::Settle { fates }).map(drop)
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let mut work = self.exclusive()?;
        let mut file = work.check(fence)?;
        let entry = Entry::Close {
            ticket: ticket.clone(),
            rest: Standing::of_rest(rest),
        };
        let records = work.append(target, entry)?;
        // The ticket last: closed once more, it finds no records.
        if file.open.contains(ticket) {
            file.open.retain(|open| open != ticket);
            file.write(work.folder)?;
        }
        let mut counts = Counts::default();
        if rest == Rest::Updated {
            counts.updated = records;
        }
        Ok(counts)
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        let mut work = self.exclusive()?;
        let log = work.log(target);
        keys.iter().map(|key| log.standing(key)).collect()
    }
}

impl Exclusive<'_> {
    /// The task's file, after a check that nobody has taken the task over.
    fn check(&self, fence: &Fence) -> Result<TaskFile> {
        TaskFile::read(self.folder, &fence.task)?
            .filter(|file| file.epoch == fence.epoch)
            .ok_or_else(|| fenced_off(fence))
    }

    fn log(&mut self, target: &Target) -> &mut TargetLog {
        let path = TargetLog::path(self.folder, target);
        self.logs
            .entry(path)
            .or_insert_with_key(|path| TargetLog::new(path.clone(), target.clone()))
    }

    fn append(&mut self, target: &Target, entry: Entry) -> Result<u64> {
        let folder = self.folder;
        self.log(target).append(folder, entry)
    }
}

/// The error of a holder that was overtaken.
fn fenced_off(fence: &Fence) -> Error {
    let message = format!(
        "another run has taken over the task `{}`; nothing of this commit was kept",
        fence.task
    );
    Error::new(ErrorKind::Conflict, message)
        .with_help("let the other run go on; this one has nothing left to do")
}

fn held_by_another(folder: &Folder, task: &TaskId) -> Result<Error> {
    let (holder, since) = match TaskFile::read(folder, task)? {
        Some(file) => (file.holder, file.claimed_at),
        None => ("somebody".to_owned(), "now".to_owned()),
    };
    Ok(Error::new(
        ErrorKind::Conflict,
        format!("the task `{task}` is held by {holder} since {since}"),
    )
    .with_help("wait until that run has ended; if its process is gone, so is its hold"))
}
