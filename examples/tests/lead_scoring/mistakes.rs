//! Wrong input: one clear error with what to do, exit code 1, nothing written.

use crate::world::{Outcome, World};

async fn assert_nothing_written(world: &World) {
    let sql = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind = 'r'";
    let tables: i64 = world.database.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(tables, 0);
    assert!(world.salesforce.ledger().is_empty());
}

/// Exit code 1, and an error that says these things and no secret.
fn assert_error(outcome: &Outcome, said: &[&str]) {
    assert_eq!(
        outcome.status.code(),
        Some(1),
        "{}\n{}",
        outcome.stdout,
        outcome.stderr
    );
    let errors: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert!(!errors.is_empty(), "{}", outcome.stderr);
    for text in said {
        assert!(
            outcome.stderr.contains(text),
            "`{text}` is not said in:\n{}",
            outcome.stderr
        );
    }
    assert!(outcome.stderr.contains("help: "), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token() {
    let world = World::new(10, 10).await;
    world.use_example_jobs();
    let mut store = world.program();
    store.env("BIGCOMMERCE_ACCESS_TOKEN", "hunter2");
    let outcome = world.run_program(store).await;
    assert_error(&outcome, &["BigCommerce", "token"]);
    let mut org = world.program();
    org.env("SALESFORCE_CLIENT_SECRET", "hunter2");
    let outcome = world.run_program(org).await;
    assert_error(&outcome, &["Salesforce", "client_secret"]);
    assert_nothing_written(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_nobody_listens_on() {
    let world = World::new(10, 10).await;
    world.use_example_jobs();
    for (name, value) in [
        ("SALESFORCE_LOGIN_URL", "http://127.0.0.1:9"),
        ("BIGCOMMERCE_API_URL", "http://127.0.0.1:9"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:9/db"),
    ] {
        let mut command = world.program();
        command.env(name, value);
        let outcome = world.run_program(command).await;
        assert_error(&outcome, &["nobody answers at 127.0.0.1:9"]);
    }
    assert_nothing_written(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses() {
    let world = World::new(10, 10).await;
    world.use_example_jobs();
    let url = world
        .program()
        .get_envs()
        .find(|(name, _)| *name == "DATABASE_URL")
        .unwrap()
        .1
        .unwrap()
        .to_owned();
    let url = url.into_string().unwrap();
    let (user, rest) = url.split_once('@').unwrap();
    let wrong = format!("{}:hunter2@{rest}", user.rsplit_once(':').unwrap().0);
    let mut command = world.program();
    command.env("DATABASE_URL", wrong);
    let outcome = world.run_program(command).await;
    assert_error(
        &outcome,
        &["refused the connection", "check `user` and `password`"],
    );

    let mut command = world.program();
    command.env("DATABASE_URL", url.replace("/lead_scoring_", "/no_such_"));
    let outcome = world.run_program(command).await;
    assert_error(&outcome, &["does not exist", "check `database`"]);
    assert_nothing_written(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_the_object_lacks() {
    let world = World::new(10, 10).await;
    world.use_example_jobs();
    let jobs = include_str!("../../src/bin/lead_scoring/jobs.toml");
    world.use_jobs(&jobs.replace(
        "{ LeadScore__c = \"LeadScore__c\" }",
        "{ LeadScore_c = \"LeadScore__c\" }",
    ));
    let outcome = world.run().await;
    assert_error(
        &outcome,
        &["there is no field `LeadScore_c`", "did you mean `LeadScore__c`"],
    );
    assert_nothing_written(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_file_with_a_mistake() {
    let world = World::new(10, 10).await;
    let jobs = include_str!("../../src/bin/lead_scoring/jobs.toml");
    for (from, to, said) in [
        (
            "stream = \"customers\"",
            "strem = \"customers\"",
            "did you mean `stream`?",
        ),
        (
            "connector = \"salesforce\"",
            "connector = \"salesfroce\"",
            "did you mean `salesforce`?",
        ),
        (
            "after = [\"score\"]",
            "after = [\"scores\"]",
            "did you mean `score`?",
        ),
        (
            "client_secret = ",
            "client_secrt = ",
            "did you mean `client_secret`?",
        ),
        ("store_id = ", "store_idd = ", "did you mean `store_id`?"),
        (
            "keep = [\"LeadScore__c\"]",
            "keep = [\"Score\"]",
            "there is no field `Score`",
        ),
    ] {
        world.use_example_jobs();
        world.use_jobs(&jobs.replace(from, to));
        let outcome = world.run().await;
        assert_error(&outcome, &[said]);
    }
    world.use_example_jobs();
    let mut command = world.program();
    command.env_remove("BIGCOMMERCE_ACCESS_TOKEN");
    let outcome = world.run_program(command).await;
    assert_error(
        &outcome,
        &["`oauth_access_token` needs `BIGCOMMERCE_ACCESS_TOKEN`, which is not set"],
    );
    assert_nothing_written(&world).await;
}
