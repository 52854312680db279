//! Slots made, shown and dropped; and what must be there before.

use connector_core::{Connector, Error, ErrorKind, Filter, Selection, Source, StreamName, TaskId};
use connector_testkit::postgres::{Options, Postgres as Server};

use crate::support::{Database, changed, database, database_at, start, task};

async fn refused(database: &Database, user: Option<&str>, table: &str) -> Error {
    let postgres = user.map_or_else(|| database.connector(), |user| database.connector_as(user));
    let made = postgres
        .replication()
        .create(&task(), &StreamName::new(table))
        .await;
    let left = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())";
    assert_eq!(database.cell(left).await, "0", "something was made");
    made.unwrap_err()
}

#[tokio::test]
async fn slots_are_made_shown_and_dropped() {
    let database = database().await;
    database.run("CREATE TABLE thing (id int PRIMARY KEY)").await;
    let postgres = database.connector();
    let replication = postgres.replication();
    assert_eq!(replication.show().await.unwrap(), []);
    let thing = StreamName::new("thing");
    let made = replication.create(&task(), &thing).await.unwrap();
    assert!(made.name.starts_with("sync_job_things_"));
    assert_eq!(
        made.remark.as_deref(),
        Some("changes of \"public\".\"thing\" for the task job/things")
    );
    assert!(!made.is_lost && made.read_by.is_none());
    let other = TaskId::new("other", "things");
    replication.create(&other, &thing).await.unwrap();
    let again = replication.create(&task(), &thing).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    database
        .run("INSERT INTO thing SELECT generate_series(1, 1000)")
        .await;
    let shown = replication.show().await.unwrap();
    assert_eq!(shown.len(), 2);
    assert!(
        shown
            .iter()
            .all(|slot| slot.lag > 10_000 && slot.retained >= slot.lag),
        "{shown:?}"
    );
    let plan = postgres.plan_read(&changed("thing", None)).await.unwrap();
    assert!(plan.notes[0].starts_with("the whole table is read first"));
    assert!(plan.notes[1].contains(&made.name) && plan.notes[1].contains("bytes of log behind"));
    let facts = postgres.check().await.unwrap().facts;
    let fact = facts.iter().find(|(name, _)| name == "slots of changes").unwrap();
    assert!(fact.1.contains(&made.name), "{}", fact.1);
    assert!(replication.drop(&task()).await.unwrap());
    assert!(!replication.drop(&task()).await.unwrap());
    assert!(replication.drop(&other).await.unwrap());
    assert_eq!(replication.show().await.unwrap(), []);
    assert_eq!(database.cell("SELECT count(*) FROM pg_publication").await, "0");
}

#[tokio::test]
async fn what_an_attempt_that_was_cut_short_has_left_is_replaced_and_nothing_else() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)")
        .await;
    database.slot("other").await;
    database
        .run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()")
        .await;
    database.slot("thing").await;
    assert_eq!(
        database.cell("SELECT tablename FROM pg_publication_tables").await,
        "thing"
    );
    database
        .run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()")
        .await;
    let name = database.cell("SELECT pubname FROM pg_publication").await;
    database
        .run(&format!("COMMENT ON PUBLICATION {name} IS 'somebody''s own'"))
        .await;
    let thing = StreamName::new("thing");
    let error = database
        .connector()
        .replication()
        .create(&task(), &thing)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.message().contains("was not made here"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_table_whose_changes_cannot_be_told_apart_is_refused() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE keyless (id int); ALTER TABLE keyless REPLICA IDENTITY FULL;
             CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
             CREATE TABLE by_name (id int PRIMARY KEY, name text NOT NULL UNIQUE);
             ALTER TABLE by_name REPLICA IDENTITY USING INDEX by_name_name_key;
             CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
             CREATE TABLE part PARTITION OF parted DEFAULT; ALTER TABLE part REPLICA IDENTITY NOTHING;
             CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
             CREATE VIEW seen AS SELECT * FROM nothing",
        )
        .await;
    for (table, kind, message, help) in [
        (
            "keyless",
            ErrorKind::Schema,
            "has no primary key",
            "ADD PRIMARY KEY",
        ),
        (
            "keyless",
            ErrorKind::Schema,
            "has no primary key",
            "REPLICA IDENTITY FULL",
        ),
        (
            "nothing",
            ErrorKind::Schema,
            "the log of nothing does not say",
            "ALTER TABLE nothing REPLICA IDENTITY FULL",
        ),
        (
            "by_name",
            ErrorKind::Schema,
            "the log of by_name",
            "REPLICA IDENTITY DEFAULT",
        ),
        (
            "parted",
            ErrorKind::Schema,
            "the log of part does",
            "ALTER TABLE part REPLICA",
        ),
        ("unlogged", ErrorKind::Unsupported, "is not logged", "SET LOGGED"),
        ("seen", ErrorKind::Unsupported, "is no table", "sync = \"full\""),
        (
            "thign",
            ErrorKind::NotFound,
            "there is no table",
            "check its name",
        ),
    ] {
        let error = refused(&database, None, table).await;
        assert_eq!(error.kind(), kind, "{}", error.report());
        assert!(error.message().contains(message), "{}", error.report());
        assert!(error.help().unwrap().contains(help), "{}", error.report());
    }
    // The same once it is read.
    database.run("ALTER TABLE nothing REPLICA IDENTITY DEFAULT").await;
    database.slot("nothing").await;
    database.run("ALTER TABLE nothing REPLICA IDENTITY NOTHING").await;
    let error = database.refused("nothing", None).await;
    assert_eq!(error.kind(), ErrorKind::Schema);
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let database = database().await;
    let name = database.cell("SELECT current_database()").await;
    let user = format!("user_of_{name}");
    database
        .run(&format!(
            "CREATE TABLE thing (id int PRIMARY KEY); CREATE ROLE {user} LOGIN PASSWORD 'secret'"
        ))
        .await;
    let mut steps = vec![
        (
            "has no right to read changes",
            format!("ALTER ROLE {user} REPLICATION"),
        ),
        (
            "may not make a publication",
            format!("GRANT CREATE ON DATABASE {name} TO {user}"),
        ),
        ("only the owner", format!("ALTER TABLE thing OWNER TO {user}")),
    ];
    for (words, grant) in steps.drain(..) {
        let error = refused(&database, Some(&user), "thing").await;
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
        assert!(error.message().contains(words), "{}", error.report());
        database.run(&grant).await;
    }
    let postgres = database.connector_as(&user);
    let thing = StreamName::new("thing");
    postgres.replication().create(&task(), &thing).await.unwrap();
    assert!(postgres.reader(changed("thing", None)).await.is_ok());
    database.run(&format!("ALTER ROLE {user} NOREPLICATION")).await;
    let error = postgres.reader(changed("thing", None)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error
            .help()
            .unwrap()
            .contains(&format!("ALTER ROLE \"{user}\" REPLICATION"))
    );
}

#[tokio::test]
async fn a_server_that_logs_no_changes_says_what_to_set() {
    let server = tokio::task::spawn_blocking(|| {
        let options = Options {
            database_url: None,
            settings: vec![("wal_level".to_owned(), "replica".to_owned())],
            ..Options::from_env()
        };
        Server::start(&options).unwrap_or_else(|error| panic!("{error}"))
    });
    let server = server.await.unwrap();
    let database = database_at(server.url()).await;
    database.run("CREATE TABLE thing (id int PRIMARY KEY)").await;
    for error in [
        refused(&database, None, "thing").await,
        database.refused("thing", None).await,
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(
            error.message().contains("wal_level = replica"),
            "{}",
            error.report()
        );
        assert!(error.help().unwrap().contains("set wal_level = logical"));
    }
}

#[tokio::test]
async fn a_server_whose_slots_are_taken_says_so() {
    let server = tokio::task::spawn_blocking(|| start(&[("max_replication_slots", "1")]));
    let server = server.await.unwrap();
    let database = database_at(server.url()).await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY); SELECT pg_create_physical_replication_slot('taken')")
        .await;
    let error = refused(&database, None, "thing").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.help().unwrap().contains("raise max_replication_slots"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_log_is_of_one_table_and_whole() {
    let database = database().await;
    database.run("CREATE TABLE thing (id int PRIMARY KEY)").await;
    database.slot("thing").await;
    let filtered = changed("thing", None).with_filter(Some(Filter::parse("id > 5").unwrap()));
    let mut query = changed("thing", None);
    query.selection = Selection::Query("SELECT id FROM thing".to_owned());
    for (request, words) in [(filtered, "is read whole"), (query, "a query has no log")] {
        let planned = database.connector().plan_read(&request).await.unwrap_err();
        let opened = database.connector().reader(request).await.err().unwrap();
        for error in [planned, opened] {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
            assert!(error.message().contains(words), "{}", error.report());
        }
    }
}
