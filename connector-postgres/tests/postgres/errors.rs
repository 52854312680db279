//! What a newcomer sees when the connection does not work.

use connector_core::{Connector, Error, ErrorKind, Secret, Selection};
use connector_postgres::{Config, Postgres};

use crate::support::{database, refusal};

const PASSWORD: &str = "hunter2-very-secret";

async fn refused(config: Config) -> Error {
    let postgres = Postgres::new(config).unwrap();
    assert!(!format!("{postgres:?}").contains(PASSWORD));
    let error = refusal(postgres.check().await);
    assert!(error.help().is_some());
    let text = error.report().to_string();
    assert!(
        !text.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD),
        "{text}"
    );
    error
}

#[tokio::test]
async fn a_port_nobody_listens_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = Config::new("127.0.0.1", "me");
    config.port = port;
    config.password = Some(Secret::new(PASSWORD));
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.report().to_string().lines().next(),
        Some(format!("nobody answers at 127.0.0.1:{port} (connection refused)").as_str())
    );
}

#[tokio::test]
async fn a_host_that_does_not_exist() {
    let mut config = Config::new("no-such-host.invalid", "me");
    config.password = Some(Secret::new(PASSWORD));
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        "no connection to PostgreSQL at no-such-host.invalid:5432"
    );
}

#[tokio::test]
async fn a_wrong_password() {
    let database = database().await;
    let mut config = database.config.clone();
    config.password = Some(Secret::new(PASSWORD));
    let address = format!("{}:{}", config.server, config.port);
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(
        error.report().to_string(),
        format!(
            "PostgreSQL at {address} refused the connection: password authentication failed for user \"postgres\"\n  \
             sqlstate: 28P01\nhelp: check `user` and `password`"
        )
    );
}

#[tokio::test]
async fn no_password_at_all() {
    let database = database().await;
    let mut config = database.config.clone();
    config.password = None;
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error
            .report()
            .to_string()
            .ends_with("help: give the connection a `password`"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist() {
    let database = database().await;
    let mut config = database.config.clone();
    config.database = Some("no_such_database".to_owned());
    let address = format!("{}:{}", config.server, config.port);
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.report().to_string(),
        format!(
            "PostgreSQL at {address} refused the connection: database \"no_such_database\" does not exist\n  \
             sqlstate: 3D000\nhelp: check `database`; left out, it is the user's own name"
        )
    );
}

#[tokio::test]
async fn a_table_that_does_not_exist() {
    let database = database().await;
    database.run("CREATE TABLE lead_reverse (id int)").await;
    let postgres = database.connector();
    let error = refusal(postgres.describe(&Selection::stream("lead_revers")).await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.report().to_string(),
        "there is no table \"public\".\"lead_revers\"\nhelp: did you mean `lead_reverse`?"
    );
    let error = refusal(postgres.describe(&Selection::stream("zebra")).await);
    assert!(
        error
            .report()
            .to_string()
            .contains("help: check its name and schema"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_check_says_who_and_where_we_are() {
    let database = database().await;
    let facts = database.connector().check().await.unwrap().facts;
    let fact = |name: &str| {
        facts
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, text)| text.clone())
            .unwrap()
    };
    assert!(fact("server").starts_with("PostgreSQL "));
    assert_eq!(
        (Some(fact("database")), fact("user")),
        (database.config.database.clone(), database.config.user.clone())
    );
    assert_eq!(
        (fact("encryption"), fact("may create schemas")),
        ("none".to_owned(), "yes".to_owned())
    );
}

#[cfg(not(feature = "ssh"))]
#[tokio::test]
async fn a_tunnel_in_a_program_without_tunnels_names_the_feature() {
    use connector_postgres::{SshAuth, SshTunnel};

    let mut config = Config::new("db", "me");
    config.tunnel = Some(SshTunnel::new(
        "bastion",
        "me",
        SshAuth::Password(Secret::new(PASSWORD)),
    ));
    let error = refusal(Postgres::new(config));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.help(),
        Some("build it with the feature `ssh` of connector-postgres")
    );
}
