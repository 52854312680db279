use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use connector_core::{Identity, Outcome};
use futures::FutureExt;
use tempfile::TempDir;

use super::*;

const CHILD: &str = "FILE_STORE_TEST_CHILD";

fn store() -> (TempDir, FileStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    (folder, store)
}

/// No call waits for anything but the file system.
fn block_on<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().unwrap()
}

fn again(folder: &TempDir) -> FileStore {
    FileStore::open(folder.path()).unwrap()
}

fn task(name: &str) -> TaskId {
    TaskId::new(name, "Lead")
}

fn claim(store: &FileStore, name: &str) -> Result<Claim> {
    block_on(store.claim(&task(name), &Holder::new("process 1")))
}

fn state(position: i64) -> State {
    State::new(Identity::new("crm", "1"), "Lead", 1, &position).unwrap()
}

fn target(object: &str) -> Target {
    Target {
        identity: Identity::new("crm", "1"),
        object: object.to_owned(),
    }
}

fn keys(names: &[&str]) -> Vec<Key> {
    names.iter().copied().map(Key::new).collect()
}

fn intend(store: &FileStore, fence: &Fence, names: &[&str], ticket: Option<&str>) -> Result<()> {
    let (keys, ticket) = (keys(names), ticket.map(Ticket::new));
    let intent = Intent {
        keys: &keys,
        ticket: ticket.as_ref(),
    };
    block_on(store.intend(fence, &target("Lead"), &intent))
}

fn settle(store: &FileStore, fence: &Fence, fates: Vec<(&str, Outcome)>) -> Result<()> {
    let fates: Vec<Fate> = fates
        .into_iter()
        .map(|(key, outcome)| Fate {
            key: Key::new(key),
            outcome,
        })
        .collect();
    block_on(store.settle(fence, &target("Lead"), &fates))
}

fn close(store: &FileStore, fence: &Fence, ticket: &str, rest: Rest) -> Result<Counts> {
    block_on(store.close(fence, &target("Lead"), &Ticket::new(ticket), rest))
}

fn standing(store: &FileStore, key: &str) -> Option<Standing> {
    store.standing(&target("Lead"), &Key::new(key)).unwrap()
}

fn refused() -> Outcome {
    Outcome::Rejected {
        code: "E".into(),
        message: "no".into(),
        fields: Vec::new(),
    }
}

/// The only file that ends in `end`.
fn file(folder: &TempDir, end: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn append(path: &PathBuf, bytes: &[u8]) {
    OpenOptions::new()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn report(error: &Error) -> String {
    error.report().to_string()
}

#[test]
fn a_state_comes_back_and_claims_are_counted() {
    let (folder, store) = store();
    let first = claim(&store, "a").unwrap();
    assert_eq!(
        (first.fence.epoch, first.fence.commit_no, &first.state),
        (1, 0, &None)
    );
    block_on(store.save(&first.fence, &state(7))).unwrap();
    block_on(store.save(&first.fence, &state(8))).unwrap();
    drop(first);
    let store = again(&folder);
    let second = claim(&store, "a").unwrap();
    assert_eq!((second.fence.epoch, second.fence.commit_no), (2, 2));
    assert_eq!(second.state, Some(state(8)));
    assert_eq!(claim(&store, "b").unwrap().state, None);
}

#[test]
fn a_held_task_is_refused_with_its_holder() {
    let (folder, store) = store();
    let held = block_on(store.claim(&task("a"), &Holder::new("process 4711 on db1"))).unwrap();
    for other in [store.clone(), again(&folder)] {
        let error = claim(&other, "a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let said = error.to_string();
        assert!(
            said.starts_with("the task `a/Lead` is held by process 4711 on db1 since 20"),
            "{said}"
        );
        claim(&other, "b").unwrap();
    }
    drop(held);
    assert_eq!(claim(&store, "a").unwrap().fence.epoch, 2);
}

#[test]
fn an_overtaken_holder_stores_nothing() {
    let (_folder, store) = store();
    let old = claim(&store, "a").unwrap().fence;
    intend(&store, &old, &["1"], Some("job")).unwrap();
    let new = claim(&store, "a").unwrap();
    let errors = [
        block_on(store.save(&old, &state(1))).unwrap_err(),
        intend(&store, &old, &["2"], None).unwrap_err(),
        settle(&store, &old, vec![("1", Outcome::Updated)]).unwrap_err(),
        close(&store, &old, "job", Rest::Updated).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(
            error.to_string(),
            "another run has taken over the task `a/Lead`; nothing of this commit was kept"
        );
    }
    assert_eq!(new.open, [Ticket::new("job")]);
    assert_eq!(standing(&store, "1"), Some(Standing::Sent));
    assert_eq!(standing(&store, "2"), None);
    let never = Fence {
        task: task("never claimed"),
        epoch: 1,
        commit_no: 0,
    };
    assert_eq!(
        block_on(store.save(&never, &state(1))).unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn odd_tasks_have_files_of_their_own() {
    let (folder, store) = store();
    let long = "l".repeat(3_000);
    let names = [
        "", ".", "../up", "/abs", "a", "A", "a\\b", "a\nb", "a\0b", "ä", "con", "💾", &long,
    ];
    for (i, name) in names.iter().enumerate() {
        let claim = claim(&store, name).unwrap();
        assert_eq!(claim.fence.epoch, 1, "{name}");
        block_on(store.save(&claim.fence, &state(i as i64))).unwrap();
    }
    let store = again(&folder);
    for (i, name) in names.iter().enumerate() {
        assert_eq!(
            claim(&store, name).unwrap().state,
            Some(state(i as i64)),
            "{name}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 * names.len() + 1);
}

#[test]
fn a_state_that_is_foreign_newer_or_garbage_is_refused_by_name() {
    let (folder, store) = store();
    block_on(store.save(&claim(&store, "a").unwrap().fence, &state(1))).unwrap();
    let path = file(&folder, ".json");
    let good = fs::read_to_string(&path).unwrap();
    let refusal = |text: &str| {
        fs::write(&path, text).unwrap();
        let error = claim(&store, "a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "left as it was");
        let said = report(&error);
        assert!(
            said.contains(&format!("\n  file: {}\n", path.display())),
            "{said}"
        );
        said
    };
    let said = refusal(&good.replace("\"format\": 1", "\"format\": 2"));
    assert!(
        said.starts_with("the stored state has format 2; this version knows up to 1")
            && said.ends_with("help: run the newer version that wrote it"),
        "{said}"
    );
    // A newer format may have nothing but its number in common.
    assert!(refusal("{\"format\": 9, \"task\": 3}").contains("format 9"));
    let said = refusal(&good.replace("a/Lead", "b/Lead"));
    assert!(
        said.starts_with("the state is of the task `b/Lead`, not of `a/Lead`"),
        "{said}"
    );
    for end in 0..good.len() - 1 {
        refusal(&good[..end]);
    }
    refusal("\0\0\0\0");
    fs::write(&path, good).unwrap();
    assert_eq!(claim(&store, "a").unwrap().state, Some(state(1)));
}

#[test]
fn what_a_crash_left_unfinished_counts_for_nothing_and_goes() {
    let (folder, store) = store();
    let first = claim(&store, "a").unwrap();
    block_on(store.save(&first.fence, &state(1))).unwrap();
    intend(&store, &first.fence, &["1"], None).unwrap();
    drop(first);
    let left = [".json", ".journal"].map(|end| file(&folder, end).with_added_extension("tmp"));
    for path in &left {
        fs::write(path, "{\"format").unwrap();
    }
    let others = folder.path().join("notes.tmp");
    fs::write(&others, "mine").unwrap();
    let store = again(&folder);
    assert_eq!(claim(&store, "a").unwrap().state, Some(state(1)));
    assert_eq!(standing(&store, "1"), Some(Standing::Sent));
    assert!(left.iter().all(|path| !path.exists()) && others.exists());
}

#[test]
fn the_journal_knows_what_became_of_each_record() {
    let (folder, store) = store();
    let held = claim(&store, "a").unwrap();
    let fence = &held.fence;
    intend(&store, fence, &["1", "2", "3", "4", "5", "6"], None).unwrap();
    assert_eq!(standing(&store, "1"), Some(Standing::Sent));
    settle(
        &store,
        fence,
        vec![
            ("1", Outcome::Created { id: None }),
            ("2", Outcome::Updated),
            ("3", Outcome::Deleted),
            ("4", refused()),
            ("5", Outcome::Ambiguous),
            ("6", Outcome::Released),
            ("7", refused()),
        ],
    )
    .unwrap();
    let expected = [
        ("1", Some(Standing::Confirmed)),
        ("2", Some(Standing::Confirmed)),
        ("3", Some(Standing::Confirmed)),
        ("4", Some(Standing::Unconfirmed)),
        ("5", Some(Standing::Sent)),
        ("6", Some(Standing::Planned)),
        ("7", Some(Standing::Unconfirmed)),
        ("8", None),
    ];
    for store in [&store, &again(&folder)] {
        for (key, wanted) in expected {
            assert_eq!(standing(store, key), wanted, "{key}");
        }
    }
    // An unanswered request may have changed what was confirmed.
    intend(&store, fence, &["1"], None).unwrap();
    assert_eq!(standing(&store, "1"), Some(Standing::Sent));
    let elsewhere = store.standing(&target("Contact"), &Key::new("2")).unwrap();
    assert_eq!(elsewhere, None);
}

#[test]
fn a_ticket_is_open_until_it_is_closed() {
    let (folder, store) = store();
    let fence = claim(&store, "a").unwrap().fence;
    intend(&store, &fence, &["1", "2", "3"], Some("job 2")).unwrap();
    intend(&store, &fence, &["4"], Some("job 2")).unwrap();
    intend(&store, &fence, &["5", "6"], Some("job 1")).unwrap();
    settle(&store, &fence, vec![("1", refused())]).unwrap();
    // Sent again by another job, the record is no longer this one's.
    intend(&store, &fence, &["2"], Some("job 1")).unwrap();

    let store = again(&folder);
    assert_eq!(claim(&store, "b").unwrap().open, []);
    let held = claim(&store, "a").unwrap();
    assert_eq!(held.open, [Ticket::new("job 2"), Ticket::new("job 1")]);
    let counts = close(&store, &held.fence, "job 2", Rest::Updated).unwrap();
    let mut wanted = Counts::default();
    wanted.updated = 2;
    assert_eq!(counts, wanted);
    let counts = close(&store, &held.fence, "job 1", Rest::Released).unwrap();
    assert_eq!(counts, Counts::default());
    let counts = close(&store, &held.fence, "job 1", Rest::Updated).unwrap();
    assert_eq!(counts, Counts::default(), "closed before");
    drop(held);
    let store = again(&folder);
    assert_eq!(claim(&store, "a").unwrap().open, []);
    let wanted = [
        Standing::Unconfirmed,
        Standing::Planned,
        Standing::Confirmed,
        Standing::Confirmed,
        Standing::Planned,
        Standing::Planned,
    ];
    for (key, wanted) in ["1", "2", "3", "4", "5", "6"].into_iter().zip(wanted) {
        assert_eq!(standing(&store, key), Some(wanted), "{key}");
    }
}

#[test]
fn a_last_line_that_was_cut_short_is_left_out() {
    let (folder, store) = store();
    let held = claim(&store, "a").unwrap();
    intend(&store, &held.fence, &["1"], None).unwrap();
    let path = file(&folder, ".journal");
    let before = fs::read(&path).unwrap();
    settle(&store, &held.fence, vec![("1", Outcome::Updated)]).unwrap();
    let line = fs::read(&path).unwrap()[before.len()..].to_vec();
    let mut zeroed = line.clone();
    zeroed[3..20].fill(0);
    let torn = (1..line.len()).map(|end| line[..end].to_vec());
    for torn in torn.chain([zeroed, vec![0; 4_096]]) {
        // Found by one that reads the file, and by one that has read it before.
        for store in [&store, &again(&folder)] {
            fs::write(&path, &before).unwrap();
            assert_eq!(standing(store, "1"), Some(Standing::Sent));
            append(&path, &torn);
            assert_eq!(standing(store, "1"), Some(Standing::Sent));
            assert_eq!(fs::read(&path).unwrap(), before);
            append(&path, &torn);
            settle(store, &held.fence, vec![("2", Outcome::Updated)]).unwrap();
            assert_eq!(standing(&again(&folder), "2"), Some(Standing::Confirmed));
        }
    }
}

#[test]
fn a_journal_that_is_damaged_foreign_or_newer_is_refused_by_name() {
    let (folder, store) = store();
    let held = claim(&store, "a").unwrap();
    intend(&store, &held.fence, &["1"], None).unwrap();
    settle(&store, &held.fence, vec![("1", Outcome::Updated)]).unwrap();
    let path = file(&folder, ".journal");
    let good = fs::read_to_string(&path).unwrap();
    let refusal = |text: &str| {
        fs::write(&path, text).unwrap();
        let store = again(&folder);
        let error = intend(&store, &held.fence, &["2"], None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "left as it was");
        let said = report(&error);
        assert!(
            said.contains(&format!("\n  file: {}\n", path.display())),
            "{said}"
        );
        said
    };
    let said = refusal(&good.replacen("intend", "intent", 1));
    assert!(said.starts_with("the journal is damaged\n"), "{said}");
    refusal("");
    refusal(&good[..40]);
    refusal(&good[1..]);
    let entries = good.split_once('\n').unwrap().1;
    let header = |format: u32, object: &str| {
        let header = serde_json::json!({
            "format": format, "identity": "crm:1", "object": object, "generation": 1,
        });
        format!("{}{entries}", line::seal(&header).unwrap())
    };
    let said = refusal(&header(2, "Lead"));
    assert!(
        said.starts_with("the stored journal has format 2; this version knows up to 1"),
        "{said}"
    );
    let said = refusal(&header(1, "Contact"));
    assert!(
        said.starts_with("the journal is of `Contact` at `crm:1`, not of `Lead` at `crm:1`"),
        "{said}"
    );
    fs::write(&path, header(1, "Lead")).unwrap();
    assert_eq!(standing(&store, "1"), Some(Standing::Confirmed));
}

#[test]
fn a_journal_is_written_anew_when_it_repeats_itself() {
    let (folder, store) = store();
    let other = again(&folder);
    let held = claim(&store, "a").unwrap();
    intend(&store, &held.fence, &["open"], Some("job")).unwrap();
    settle(&store, &held.fence, vec![("bad", refused())]).unwrap();
    assert_eq!(standing(&other, "bad"), Some(Standing::Unconfirmed));
    let names: Vec<String> = (0..2_000).map(|i| format!("key {i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut longest = 0;
    for _ in 0..10 {
        intend(&store, &held.fence, &names, None).unwrap();
        let fates = names.iter().map(|name| (*name, Outcome::Updated)).collect();
        settle(&store, &held.fence, fates).unwrap();
        longest = longest.max(fs::metadata(file(&folder, ".journal")).unwrap().len());
    }
    let mentions = 5 * 2_002 + 1_000;
    assert!(longest < mentions * 25, "{longest}");
    // One that has read the old file, and one that has read none.
    for store in [&store, &other, &again(&folder)] {
        for (key, wanted) in [
            ("open", Standing::Sent),
            ("bad", Standing::Unconfirmed),
            ("key 1999", Standing::Confirmed),
        ] {
            assert_eq!(standing(store, key), Some(wanted), "{key}");
        }
    }
    let counts = close(&again(&folder), &held.fence, "job", Rest::Updated).unwrap();
    assert_eq!(counts.updated, 1);
    assert_eq!(standing(&store, "open"), Some(Standing::Confirmed));
}

#[test]
fn threads_and_stores_share_a_folder() {
    let (folder, store) = store();
    let winners: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                let store = if i % 2 == 0 { store.clone() } else { again(&folder) };
                scope.spawn(move || {
                    let contested = claim(&store, "contested");
                    let own = claim(&store, &format!("own {i}")).unwrap();
                    for n in 0..10 {
                        let key = format!("{i}:{n}");
                        intend(&store, &own.fence, &[&key], Some(&format!("job {i}"))).unwrap();
                        block_on(store.save(&own.fence, &state(n))).unwrap();
                        if n % 2 == 0 {
                            settle(&store, &own.fence, vec![(&key, refused())]).unwrap();
                        }
                    }
                    let counts = close(&store, &own.fence, &format!("job {i}"), Rest::Updated).unwrap();
                    assert_eq!(counts.updated, 5);
                    contested
                })
            })
            .collect();
        // All are kept until all have tried.
        let contested: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        contested.iter().filter(|claim| claim.is_ok()).count()
    });
    assert_eq!(winners, 1);
    for store in [&store, &again(&folder)] {
        for (i, n) in (0..8).flat_map(|i| (0..10).map(move |n| (i, n))) {
            let wanted = if n % 2 == 0 {
                Standing::Unconfirmed
            } else {
                Standing::Confirmed
            };
            assert_eq!(standing(store, &format!("{i}:{n}")), Some(wanted));
        }
    }
    assert_eq!(claim(&store, "own 3").unwrap().state, Some(state(9)));
}

#[test]
fn a_killed_process_holds_nothing() {
    let (folder, store) = store();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "file_store::tests::child_entry", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.contains("it is held")));
    let said = claim(&store, "a").unwrap_err().to_string();
    assert!(said.contains("is held by the child since"), "{said}");
    // Killed in the midst of its work, it has kept everything that it was told is kept.
    let number = |line: String| line.strip_prefix("kept ")?.parse::<i64>().ok();
    let begun = lines.by_ref().take(20).filter_map(number).last();
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = lines.filter_map(number).last().or(begun).unwrap();
    let claim = claim(&store, "a").unwrap();
    assert_eq!(claim.fence.epoch, 2);
    let states = [Some(state(kept)), Some(state(kept + 1))];
    assert!(states.contains(&claim.state), "{:?} after {kept}", claim.state);
    assert_eq!(claim.open[0], Ticket::new("job 0"));
    let open = claim.open.len() as i64;
    assert!([kept + 1, kept + 2].contains(&open), "{open} after {kept}");
    for n in 0..=kept {
        assert_eq!(standing(&store, &format!("{n}")), Some(Standing::Sent));
        assert_eq!(standing(&store, &format!("bad {n}")), Some(Standing::Unconfirmed));
    }
    assert_eq!(
        close(&store, &claim.fence, "job 0", Rest::Updated)
            .unwrap()
            .updated,
        1
    );
}

/// The process that is killed; by itself, nothing.
#[test]
fn child_entry() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let store = FileStore::open(folder).unwrap();
    let held = block_on(store.claim(&task("a"), &Holder::new("the child"))).unwrap();
    println!("it is held");
    for n in 0.. {
        let (good, bad, job) = (n.to_string(), format!("bad {n}"), format!("job {n}"));
        intend(&store, &held.fence, &[&good, &bad], Some(&job)).unwrap();
        settle(&store, &held.fence, vec![(&bad, refused())]).unwrap();
        block_on(store.save(&held.fence, &state(n))).unwrap();
        println!("kept {n}");
    }
}

#[test]
fn a_folder_is_made_and_a_file_is_none() {
    let (folder, _store) = store();
    let deep = folder.path().join("a/b/c");
    let store = FileStore::open(&deep).unwrap();
    claim(&store, "a").unwrap();
    assert!(deep.is_dir());
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    for path in [path.clone(), path.join("below")] {
        let error = FileStore::open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    assert!(format!("{store:?}").starts_with("FileStore("));
}
