//! Secrets planted wherever one can be given: none comes out again in a `Debug`, an error, a report or a log.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use common::TestClock;
use connector_core::{Connector, Error, Secret};
use connector_salesforce::{
    Ask, AssertionProvider, Auth, Config, FileTokenStore, GivenCode, MemoryTokenStore, PrivateKey, Prompt,
    Salesforce, TokenStore, WsTrust,
};
use connector_testkit::fakes::FakeClock;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// One of its own for each place.
const PLANTED: [(&str, &str); 14] = [
    ("client secret", "planted client&secret 01"),
    ("password", "planted<pass>word/02"),
    ("security token", "plantedSecurityToken03"),
    ("refresh token", "5Aep861.planted+refresh/04"),
    ("access token", "00DD0000000IRFm!planted.access_05"),
    ("key password", "planted key password 06"),
    (
        "assertion",
        "<saml:Assertion xmlns:saml='urn:x'>planted-07</saml:Assertion>",
    ),
    ("proxy password", "planted-proxy-08"),
    ("authorization code", "planted.code.09=="),
    (
        "pkce verifier",
        "planted-verifier-of-forty-three-letters-or-more-10",
    ),
    ("device code", "planted-device-11"),
    ("user code", "PLANTED12"),
    ("identity provider's password", "planted&sso&13"),
    ("new refresh token", "5Aep861.planted.rotated.14"),
];

fn planted(place: &str) -> Secret {
    let (_, secret) = PLANTED.iter().find(|(known, _)| *known == place).unwrap();
    Secret::new(*secret)
}

fn text(place: &str) -> String {
    planted(place).reveal().to_owned()
}

/// Every form in which a secret travels or is printed.
fn forms(secret: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::to_string(secret).unwrap();
    let debug = format!("{secret:?}");
    vec![
        secret.to_owned(),
        form.replace('+', "%20"),
        form,
        json.trim_matches('"').to_owned(),
        debug.trim_matches('"').to_owned(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;"),
    ]
}

/// The lines of a private key's own text are secrets, too.
fn key_lines() -> Vec<String> {
    let pem = std::fs::read_to_string(key("pkcs8")).unwrap();
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::to_owned)
        .collect()
}

fn key(name: &str) -> String {
    format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn assert_clean(what: &str, shown: &str) {
    for (place, secret) in PLANTED {
        for form in forms(secret) {
            assert!(
                !shown.contains(&form),
                "{what} shows the {place} as `{form}`:\n{shown}"
            );
        }
    }
    for line in key_lines() {
        assert!(!shown.contains(&line), "{what} shows the private key:\n{shown}");
    }
}

/// All that is ever logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn get() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_writer(log.clone())
                .with_ansi(false)
                .init();
            log
        })
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How the server ends each exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It signs in, and answers.
    Well,
    /// It signs in, and the API repeats the token in its refusal.
    ApiEcho,
    /// It signs in, and no token is ever good enough.
    Expired,
    /// It refuses, with all that it was sent in the words.
    Echo,
    /// The same, as a SOAP fault.
    Fault,
    /// The same, as a page.
    Page,
    /// The same, with success for a status.
    Nonsense,
    /// It says that it is overloaded, for ever.
    Busy,
    /// It sends elsewhere.
    Redirect,
    /// It names a hostile instance.
    Hostile,
}

const ENDS: [End; 10] = [
    End::Well,
    End::ApiEcho,
    End::Expired,
    End::Echo,
    End::Fault,
    End::Page,
    End::Nonsense,
    End::Busy,
    End::Redirect,
    End::Hostile,
];

struct Server {
    end: End,
    address: String,
}

impl Respond for Server {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        if request.method.as_str() == "GET" {
            self.api(request)
        } else {
            self.sign_in(request)
        }
    }
}

impl Server {
    fn api(&self, request: &Request) -> ResponseTemplate {
        let sent = request
            .headers
            .get("authorization")
            .map_or("", |value| value.to_str().unwrap());
        let refused = |status: u16, message: &str| {
            ResponseTemplate::new(status)
                .set_body_json(json!([{ "errorCode": "INVALID_SESSION_ID", "message": message }]))
        };
        match self.end {
            End::ApiEcho => refused(400, &format!("what is {sent}?")),
            End::Expired => refused(401, &format!("{sent} has expired")),
            _ => ResponseTemplate::new(200).set_body_json(json!({ "sobjects": [] })),
        }
    }

    fn sign_in(&self, request: &Request) -> ResponseTemplate {
        let sent = String::from_utf8_lossy(&request.body).into_owned();
        let decoded: String = url::form_urlencoded::parse(&request.body)
            .map(|(name, value)| format!("{name} is {value}, {}; ", URL_SAFE_NO_PAD.encode(&*value)))
            .collect();
        let all = format!("{sent} {decoded}");
        match self.end {
            End::Well | End::ApiEcho | End::Expired => self.token(&sent, &self.address),
            End::Hostile => self.token(&sent, "https://evil.example"),
            End::Echo => ResponseTemplate::new(400)
                .set_body_json(json!({ "error": "invalid_grant", "error_description": all })),
            End::Fault => ResponseTemplate::new(500).set_body_raw(
                format!("<e><Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring><![CDATA[{all}]]></faultstring></Fault></e>"),
                "text/xml",
            ),
            End::Page => ResponseTemplate::new(403).set_body_raw(format!("<html>{all}</html>"), "text/html"),
            End::Nonsense => ResponseTemplate::new(200).set_body_string(all),
            End::Busy => ResponseTemplate::new(503).set_body_string(all),
            End::Redirect => ResponseTemplate::new(307)
                .insert_header("location", format!("https://evil.example/{}", URL_SAFE_NO_PAD.encode(&sent))),
        }
    }

    fn token(&self, sent: &str, instance: &str) -> ResponseTemplate {
        let token = text("access token");
        if sent.contains("response_type=device_code") {
            return ResponseTemplate::new(200).set_body_json(json!({
                "device_code": text("device code"), "user_code": text("user code"),
                "verification_uri": format!("{}/setup/connect", self.address), "interval": 5,
            }));
        }
        if sent.contains("RequestSecurityToken") {
            let body = format!(
                "<e><RequestedSecurityToken>{}</RequestedSecurityToken></e>",
                text("assertion")
            );
            return ResponseTemplate::new(200).set_body_raw(body, "application/soap+xml");
        }
        if sent.contains("Envelope") {
            let body = format!(
                "<e><serverUrl>{instance}/services/Soap/u/62.0</serverUrl><sessionId>{token}</sessionId></e>"
            );
            return ResponseTemplate::new(200).set_body_raw(body, "text/xml");
        }
        ResponseTemplate::new(200).set_body_json(json!({
            "access_token": token, "token_type": "Bearer", "instance_url": instance,
            "refresh_token": text("new refresh token"),
        }))
    }
}

/// Reads what it is shown and does nothing.
#[derive(Debug, Default)]
struct Reader(Mutex<String>);

#[async_trait]
impl Prompt for Reader {
    async fn show(&self, ask: &Ask) -> Result<(), Error> {
        self.0.lock().unwrap().push_str(&format!("{ask:?}"));
        Ok(())
    }
}

#[derive(Debug)]
struct Provider;

#[async_trait]
impl AssertionProvider for Provider {
    async fn assertion(&self) -> Result<Secret, Error> {
        Ok(planted("assertion"))
    }
}

/// Every way in, with all that it can be given.
fn ways(address: &str) -> Vec<Config> {
    let client_id = || "id".to_owned();
    let client_secret = || Some(planted("client secret"));
    let username = || "me@acme.example".to_owned();
    let private_key = PrivateKey::from_pem_file(key("encrypted"), Some(&Secret::new("key-hunter2"))).unwrap();
    let all = [
        Auth::ClientCredentials {
            client_id: client_id(),
            client_secret: planted("client secret"),
        },
        Auth::AccessToken {
            access_token: planted("access token"),
            instance_url: address.parse().unwrap(),
        },
        Auth::RefreshToken {
            client_id: client_id(),
            client_secret: client_secret(),
            refresh_token: planted("refresh token"),
        },
        Auth::AuthorizationCode {
            client_id: client_id(),
            client_secret: client_secret(),
            callback_url: "https://app.example/".to_owned(),
            code: Some(GivenCode {
                code: planted("authorization code"),
                verifier: planted("pkce verifier"),
            }),
        },
        Auth::Device {
            client_id: client_id(),
            client_secret: client_secret(),
        },
        Auth::JwtBearer {
            client_id: client_id(),
            username: username(),
            private_key,
            audience: None,
        },
        Auth::Password {
            client_id: client_id(),
            client_secret: client_secret(),
            username: username(),
            password: planted("password"),
            security_token: Some(planted("security token")),
        },
        Auth::Login {
            username: username(),
            password: planted("password"),
            security_token: Some(planted("security token")),
        },
        Auth::SamlBearer { client_id: None },
        Auth::SamlBearer {
            client_id: Some(client_id()),
        },
    ];
    let sso = planted("identity provider's password");
    let sts = WsTrust::new(&format!("{address}/trust"), username(), sso).unwrap();
    all.into_iter()
        .flat_map(|auth| {
            let config = Config::new(auth).with_login_url(address).unwrap();
            let config = config
                .with_proxy(Secret::new(format!(
                    "http://me:{}@proxy.example:3128",
                    text("proxy password")
                )))
                .with_prompt(Arc::new(Reader::default()));
            let given = config.clone().with_assertions(Arc::new(Provider));
            [config.with_ws_trust(sts.clone()), given]
        })
        .collect()
}

fn show(error: &Error) -> String {
    let mut shown = format!(
        "{error} {error:?} {error:#?} {} {:?}",
        error.report(),
        error.context()
    );
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        shown.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    shown
}

fn debug(what: &impl Debug) {
    assert_clean("Debug", &format!("{what:?} {what:#?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_planted_secret_comes_out() {
    let log = Log::get();
    let mut outcomes = Vec::new();
    for end in ENDS {
        let server = MockServer::start().await;
        let address = server.uri();
        let answers = Server {
            end,
            address: address.clone(),
        };
        Mock::given(any()).respond_with(answers).mount(&server).await;
        for config in ways(&address) {
            debug(&config);
            let store: Arc<dyn TokenStore> = Arc::new(MemoryTokenStore::default());
            let config = config.with_token_store(store);
            let crm = Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap();
            for _ in 0..2 {
                let outcome = crm.streams().await;
                debug(&crm);
                if let Err(error) = &outcome {
                    assert_clean(&format!("{config:?} {end:?}"), &show(error));
                }
                outcomes.push((end, outcome.is_ok()));
            }
        }
    }
    // The ends were reached: all is well where it should be, and nowhere else but with a token that was given.
    let well = |end| outcomes.iter().filter(|(other, ok)| *other == end && *ok).count();
    assert_eq!(well(End::Well), 40);
    for end in [End::ApiEcho, End::Expired] {
        assert_eq!(well(end), 0, "{end:?}");
    }
    for end in [
        End::Echo,
        End::Fault,
        End::Page,
        End::Nonsense,
        End::Busy,
        End::Redirect,
        End::Hostile,
    ] {
        assert_eq!(well(end), 4, "{end:?}");
    }
    let logged = log.text();
    assert!(
        logged.contains("answered") && logged.contains("trying again"),
        "the log is written"
    );
    assert_clean("the log", &logged);
}

#[tokio::test]
async fn what_is_given_is_not_shown() {
    debug(&PrivateKey::from_pem_file(key("pkcs8"), None).unwrap());
    debug(&MemoryTokenStore::default());
    debug(&FileTokenStore::new("tokens.json"));
    debug(&Ask::Device {
        url: "https://acme.example/".parse().unwrap(),
        code: planted("user code"),
    });
    debug(&GivenCode {
        code: planted("authorization code"),
        verifier: planted("pkce verifier"),
    });
    for file in ["encrypted", "pkcs8", "old", "ec"] {
        let pem = std::fs::read_to_string(key(file)).unwrap();
        let cut: String = pem.lines().take(3).collect::<Vec<_>>().join("\n");
        for text in [pem.as_str(), cut.as_str()] {
            if let Err(error) = PrivateKey::from_pem(&Secret::new(text), Some(&planted("key password"))) {
                assert_clean(file, &show(&error));
            }
        }
    }
}

#[test]
fn keys_that_are_wrong_do_not_show_their_values() {
    let secrets = [
        ("client_secret", "client secret"),
        ("password", "password"),
        ("security_token", "security token"),
        ("refresh_token", "refresh token"),
        ("access_token", "access token"),
        ("private_key_password", "key password"),
        ("proxy", "proxy password"),
        ("authorization_code", "authorization code"),
        ("pkce_verifier", "pkce verifier"),
        ("private_key", "password"),
        ("sso_properties", "identity provider's password"),
        ("login_url", "password"),
        ("token_url", "password"),
        ("sso_login_url", "password"),
        ("instance_url", "password"),
        ("callback_url", "password"),
        ("api_version", "password"),
        ("use_sandbox", "password"),
        ("initiate_oauth", "password"),
        ("token_store", "refresh token"),
    ];
    let auths = [
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "jwt_bearer",
        "device",
        "password",
        "login",
        "saml_bearer",
        "access_token",
        "",
    ];
    for auth in auths {
        for left_out in secrets {
            // One place at a time is missing, so that each is the first that is missed or misread.
            let pairs = secrets
                .iter()
                .filter(|pair| **pair != left_out)
                .map(|(key, place)| (*key, text(place)));
            let pairs = pairs.chain([("auth", auth.to_owned()), ("client_id", "id".to_owned())]);
            let pairs: Vec<_> = pairs
                .map(|(key, value)| (key.to_owned(), Secret::new(value)))
                .collect();
            if let Err(error) = Config::from_properties(pairs) {
                assert_clean(auth, &show(&error));
            }
            let (key, place) = left_out;
            let alone = [
                ("auth", auth.to_owned()),
                ("client_id", "id".to_owned()),
                (key, text(place)),
            ];
            let alone = alone.map(|(key, value)| (key.to_owned(), Secret::new(value)));
            match Config::from_properties(alone) {
                Ok(config) => debug(&config),
                Err(error) => assert_clean(auth, &show(&error)),
            }
        }
    }
}
