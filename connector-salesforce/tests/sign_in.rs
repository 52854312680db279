//! Every way in, against the fake org.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::{Person, TestClock};
use connector_core::{Clock, Connector, Error, ErrorKind, Secret, SystemClock};
use connector_salesforce::{
    AssertionProvider, Auth, Config, GivenCode, MemoryTokenStore, PrivateKey, Salesforce, WsTrust,
};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::salesforce::{FakeSalesforce, Fault, FaultAction, SalesforceConfig};
use ring::signature::KeyPair;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

struct World {
    org: Arc<FakeSalesforce>,
    clock: FakeClock,
}

impl World {
    async fn start() -> Self {
        let config = SalesforceConfig {
            leads: 3,
            rotate_refresh_tokens: true,
            ..SalesforceConfig::default()
        };
        let clock = config.clock.clone();
        let org = Arc::new(FakeSalesforce::start(config).await.unwrap());
        Self { org, clock }
    }

    fn config(&self, auth: Auth) -> Config {
        Config::new(auth).with_login_url(&self.org.url()).unwrap()
    }

    /// A connection that waits by the org's clock.
    fn connect(&self, config: &Config) -> Salesforce {
        Salesforce::new(config, Arc::new(TestClock(self.clock.clone()))).unwrap()
    }

    /// One that waits by the machine's, as a person does.
    fn patient(&self, config: &Config) -> Salesforce {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Salesforce::new(config, clock).unwrap()
    }

    fn by_keys(&self, pairs: &[(&str, &str)]) -> Result<Config, Error> {
        let url = self.org.url();
        let pairs = pairs.iter().copied().chain([("login_url", url.as_str())]);
        Config::from_properties(pairs.map(|(key, value)| (key.to_owned(), Secret::new(value))))
    }

    fn asked(&self, what: &str) -> u64 {
        self.org.stats()["by_kind"][what].as_u64().unwrap_or_default()
    }

    fn device(&self) -> Auth {
        Auth::Device {
            client_id: self.org.client_id(),
            client_secret: None,
        }
    }

    fn browser(&self, callback_url: &str) -> Auth {
        Auth::AuthorizationCode {
            client_id: self.org.client_id(),
            client_secret: Some(Secret::new(self.org.client_secret())),
            callback_url: callback_url.to_owned(),
            code: None,
        }
    }
}

/// That a connection works, and goes on after its token has ended.
async fn works(world: &World, crm: &Salesforce) {
    assert!(!crm.streams().await.unwrap().is_empty());
    assert_eq!(
        crm.identity().await.unwrap().as_str(),
        format!("salesforce:{}", world.org.org_id())
    );
    world.org.expire_tokens();
    crm.streams().await.unwrap();
}

fn key(name: &str) -> String {
    format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

fn trust_key(org: &FakeSalesforce) {
    let der = PrivatePkcs8KeyDer::from_pem_file(key("pkcs8")).unwrap();
    let pair = ring::signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    org.trust_key(pair.public_key().as_ref());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_passwords_sign_in() {
    let world = World::start().await;
    let (id, secret, user) = (
        world.org.client_id(),
        world.org.client_secret(),
        world.org.username(),
    );
    let all = world.org.password();
    let token = world.org.security_token();
    let password = all.strip_suffix(&token).unwrap();
    let refresh = world.org.refresh_token();
    for pairs in [
        &[
            ("auth", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
        ][..],
        &[("client_id", &id), ("refresh_token", &refresh)],
        &[
            ("client_id", &id),
            ("client_secret", &secret),
            ("username", &user),
            ("password", password),
            ("security_token", &token),
        ],
        &[
            ("username", &user),
            ("password", password),
            ("security_token", &token),
        ],
        &[
            ("auth", "login"),
            ("username", &user),
            ("password", &all),
            ("api_version", "66.0"),
        ],
    ] {
        let config = world.by_keys(pairs).unwrap();
        works(&world, &world.connect(&config)).await;
    }
    assert_eq!(world.asked("login"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_token_works_at_its_instance() {
    let world = World::start().await;
    let token = world.org.access_token();
    // A My Domain is the org's own address.
    let config = world.by_keys(&[("access_token", &token)]).unwrap();
    let crm = world.connect(&config);
    assert!(!crm.streams().await.unwrap().is_empty());
    world.org.expire_tokens();
    assert_eq!(crm.streams().await.unwrap_err().kind(), ErrorKind::Auth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_is_signed_by_any_form_of_the_key() {
    let world = World::start().await;
    trust_key(&world.org);
    let (id, user) = (world.org.client_id(), world.org.username());
    for (file, password) in [
        ("pkcs8", None),
        ("pkcs1", None),
        ("encrypted", Some("key-hunter2")),
    ] {
        let path = key(file);
        let mut pairs = vec![
            ("client_id", id.as_str()),
            ("username", &user),
            ("private_key_file", &path),
        ];
        pairs.extend(password.map(|password| ("private_key_password", password)));
        works(&world, &world.connect(&world.by_keys(&pairs).unwrap())).await;
    }
    let text = std::fs::read_to_string(key("pkcs1")).unwrap();
    let string = format!(
        "AuthScheme=OAuthJWT;OAuthJWTIssuer={id};OAuthJWTSubject={user};OAuthJWTCertType=PEMKEY_BLOB;\
                          OAuthJWTCertSubject=*;OAuthJWTCert=\"{text}\""
    );
    let config = world.by_keys(&[("connection_string", &string)]).unwrap();
    works(&world, &world.connect(&config)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_that_is_not_right_is_refused_once() {
    let world = World::start().await;
    let key = PrivateKey::from_pem_file(key("pkcs8"), None).unwrap();
    let auth = |username: String, audience: Option<&str>| Auth::JwtBearer {
        client_id: world.org.client_id(),
        username,
        private_key: key.clone(),
        audience: audience.map(str::to_owned),
    };
    let unknown_key = world.connect(&world.config(auth(world.org.username(), None)));
    let error = unknown_key.streams().await.unwrap_err();
    assert!(
        error.report().to_string().contains("invalid assertion"),
        "{}",
        error.report()
    );
    trust_key(&world.org);
    for (auth, wanted) in [
        (
            auth("somebody@example.com".into(), None),
            "hasn't approved this consumer",
        ),
        (
            auth(world.org.username(), Some("https://evil.example")),
            "Audience validation failed",
        ),
    ] {
        let crm = world.connect(&world.config(auth));
        for _ in 0..3 {
            let error = crm.streams().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert!(error.report().to_string().contains(wanted), "{}", error.report());
            assert!(error.help().is_some());
        }
    }
    assert_eq!(
        world.asked("token"),
        3,
        "a refusal stands without being asked again"
    );
}

#[test]
fn a_key_that_cannot_be_used_is_refused_in_one_sentence() {
    let password = Secret::new("wrong-hunter2");
    for (file, password, wanted) in [
        (
            "encrypted",
            None,
            "the private key is encrypted and no password is given",
        ),
        (
            "encrypted",
            Some(&password),
            "the private key cannot be decrypted",
        ),
        ("old", None, "the private key is encrypted in an old way"),
        ("ec", None, "the private key cannot be used for RS256"),
        ("missing", None, "the private key's file cannot be read"),
    ] {
        let error = PrivateKey::from_pem_file(key(file), password).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Config, wanted));
        assert!(error.help().is_some() && !format!("{error:?}").contains("hunter2"));
    }
    assert!(PrivateKey::from_pem(&Secret::new("no key"), None).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_browser_once() {
    let world = World::start().await;
    let person = Person::new(&world.org);
    let store = Arc::new(MemoryTokenStore::default());
    let config = world
        .config(world.browser("http://localhost:0/callback"))
        .with_token_store(store)
        .with_prompt(Arc::new(person.clone()));
    works(&world, &world.patient(&config)).await;
    works(&world, &world.patient(&config)).await;
    assert_eq!(person.asked(), 1, "the store's refresh token is enough");
    let url = person.shown.lock().unwrap()[0].clone();
    let query = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    assert_eq!(query("scope"), "api refresh_token");
    assert_eq!(query("code_challenge_method"), "S256");
    assert!(query("state").len() >= 20 && !query("code_challenge").is_empty());
    // What only a person can cure is put to one.
    world.org.revoke_refresh_tokens();
    world.org.expire_tokens();
    let later = world.patient(&config);
    world.clock.advance(std::time::Duration::from_secs(3_600));
    assert!(!later.streams().await.unwrap().is_empty());
    assert_eq!(person.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_may_take_the_redirect_itself() {
    let world = World::start().await;
    let person = Person::new(&world.org);
    let config = world
        .config(world.browser("https://app.example/callback?x=1"))
        .with_prompt(Arc::new(person.clone()));
    works(&world, &world.patient(&config)).await;
    // Another sign-in's redirect is refused.
    #[derive(Debug)]
    struct Stale(Person);
    #[async_trait]
    impl connector_salesforce::Prompt for Stale {
        async fn show(&self, _: &connector_salesforce::Ask) -> Result<(), Error> {
            Ok(())
        }
        async fn redirected(&self) -> Result<url::Url, Error> {
            self.0.redirected().await
        }
    }
    let config = config.with_prompt(Arc::new(Stale(person)));
    let error = world.patient(&config).streams().await.unwrap_err();
    assert_eq!(error.message(), "the redirect does not belong to this sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_refuses_is_the_end() {
    let world = World::start().await;
    world.org.deny_consent();
    let person = Person::new(&world.org);
    for auth in [world.browser("http://127.0.0.1:0"), world.device()] {
        let config = world.config(auth).with_prompt(Arc::new(person.clone()));
        let error = world.patient_or_fast(&config).streams().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(
            error.report().to_string().contains("access_denied"),
            "{}",
            error.report()
        );
    }
}

impl World {
    /// The device flow waits by the org's clock, the browser by the machine's.
    fn patient_or_fast(&self, config: &Config) -> Salesforce {
        if format!("{config:?}").contains("device") {
            self.connect(config)
        } else {
            self.patient(config)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_signs_in_is_waited_for_so_long_and_no_longer() {
    #[derive(Debug)]
    struct Nobody;
    #[async_trait]
    impl connector_salesforce::Prompt for Nobody {
        async fn show(&self, _: &connector_salesforce::Ask) -> Result<(), Error> {
            Ok(())
        }
    }
    let world = World::start().await;
    for (auth, wanted) in [
        (
            world.browser("http://localhost:0"),
            "nobody signed in within five minutes",
        ),
        (world.device(), "nobody entered the code within ten minutes"),
    ] {
        let config = world.config(auth).with_prompt(Arc::new(Nobody));
        let error = world.connect(&config).streams().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, wanted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_polls_as_it_is_told() {
    let world = World::start().await;
    let person = Person::new(&world.org);
    let answer = |error: &str| FaultAction::Answer {
        status: 400,
        headers: vec![],
        body: format!("{{\"error\":\"{error}\",\"error_description\":\"wait\"}}"),
    };
    for (skip, error) in [
        (1, "authorization_pending"),
        (2, "slow_down"),
        (3, "authorization_pending"),
    ] {
        world.org.fail_next(Fault {
            skip,
            ..Fault::next("/services/oauth2/token", answer(error))
        });
    }
    let config = world.config(world.device()).with_prompt(Arc::new(person.clone()));
    let before = world.clock.now_micros();
    let crm = world.connect(&config);
    crm.streams().await.unwrap();
    let waited = (world.clock.now_micros() - before) / 1_000_000;
    // 5 + 5 seconds, then 10 each.
    assert!((30..40).contains(&waited), "{waited} s");
    works(&world, &crm).await;
    assert_eq!(person.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_somebody_else_got_is_used_once() {
    let world = World::start().await;
    let person = Person::new(&world.org);
    // As another program would: its own verifier, the redirect taken by hand.
    let verifier = "a-verifier-of-at-least-forty-three-characters-0";
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&oauth2::PkceCodeVerifier::new(
        verifier.to_owned(),
    ));
    let mut url = url::Url::parse(&format!("{}/services/oauth2/authorize", world.org.url())).unwrap();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &world.org.client_id())
        .append_pair("redirect_uri", "https://app.example/")
        .append_pair("code_challenge", challenge.as_str())
        .append_pair("code_challenge_method", "S256");
    connector_salesforce::Prompt::show(&person, &browser(url))
        .await
        .unwrap();
    let back = person.sent_back.lock().unwrap().clone().unwrap();
    let code = back
        .query_pairs()
        .find(|(key, _)| key == "code")
        .unwrap()
        .1
        .into_owned();
    let store = Arc::new(MemoryTokenStore::default());
    let auth = |verifier: &str| Auth::AuthorizationCode {
        client_id: world.org.client_id(),
        client_secret: None,
        callback_url: "https://app.example/".to_owned(),
        code: Some(GivenCode {
            code: Secret::new(code.as_str()),
            verifier: Secret::new(verifier),
        }),
    };
    let config = world.config(auth(verifier)).with_token_store(store);
    works(&world, &world.connect(&config)).await;
    // The next run has the same code in its configuration, and newer tokens in its store.
    works(&world, &world.connect(&config)).await;
    let error = world
        .connect(&world.config(auth(verifier)))
        .streams()
        .await
        .unwrap_err();
    assert!(error.report().to_string().contains("invalid authorization code"));
}

fn browser(url: url::Url) -> connector_salesforce::Ask {
    connector_salesforce::Ask::Browser { url }
}

#[derive(Debug)]
struct Provider(Arc<FakeSalesforce>);

#[async_trait]
impl AssertionProvider for Provider {
    async fn assertion(&self) -> Result<Secret, Error> {
        Ok(Secret::new(self.0.assertion()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn assertions_come_from_the_program_or_by_ws_trust() {
    let world = World::start().await;
    let provider: Arc<dyn AssertionProvider> = Arc::new(Provider(Arc::clone(&world.org)));
    let all = world.org.password();
    let password = all.strip_suffix(&world.org.security_token()).unwrap();
    for client_id in [None, Some(world.org.client_id())] {
        let config = world.config(Auth::SamlBearer { client_id });
        works(
            &world,
            &world.connect(&config.clone().with_assertions(Arc::clone(&provider))),
        )
        .await;
        let sts = WsTrust::new(
            &world.org.ws_trust_url(),
            world.org.username(),
            Secret::new(password),
        )
        .unwrap();
        works(&world, &world.connect(&config.with_ws_trust(sts))).await;
    }
    let string = format!(
        "User={};Password={password};SSOLoginUrl={};SSOProperties='RelyingParty=https://saml.salesforce.com;';\
         TokenUrl={}/services/oauth2/token?so=00D",
        world.org.username(),
        world.org.ws_trust_url(),
        world.org.url()
    );
    let config = world.by_keys(&[("connection_string", &string)]).unwrap();
    works(&world, &world.connect(&config)).await;
    assert_eq!(world.asked("assertion"), 6);
    let sts = WsTrust::new(&world.org.ws_trust_url(), "me", Secret::new("hunter2")).unwrap();
    let config = world
        .config(Auth::SamlBearer { client_id: None })
        .with_ws_trust(sts);
    let error = world.connect(&config).streams().await.unwrap_err();
    assert!(
        error.report().to_string().contains("ID3242"),
        "{}",
        error.report()
    );
    assert!(!error.report().to_string().contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_login_says_what_is_wrong() {
    let world = World::start().await;
    let all = world.org.password();
    let without_token = all.strip_suffix(&world.org.security_token()).unwrap().to_owned();
    let login = |password: &str| {
        world.config(Auth::Login {
            username: world.org.username(),
            password: Secret::new(password),
            security_token: None,
        })
    };
    for (password, wanted) in [
        (
            "hunter2<&>",
            "the sign-in is refused: user, password or security token are wrong, or the user is locked (INVALID_LOGIN)",
        ),
        (
            without_token.as_str(),
            "the sign-in is refused: a security token is needed from this address (LOGIN_MUST_USE_SECURITY_TOKEN)",
        ),
    ] {
        let crm = world.connect(&login(password));
        for _ in 0..2 {
            let error = crm.streams().await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, wanted));
            assert!(error.help().is_some() && !error.report().to_string().contains("hunter2"));
        }
    }
    assert_eq!(world.asked("login"), 2, "repeating it would lock the user");
    world.org.expire_password();
    let error = world.connect(&login(&all)).streams().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Auth, "the password has expired")
    );
}
