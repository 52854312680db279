//! Keys of other products whose values say what ours say in other words.

use connector_core::{Error, ErrorKind, Properties, Result, Secret, nearest, parse_connection_string};

use super::{PRODUCTION, SANDBOX};

pub(super) const AUTH_SCHEME: &str = "auth_scheme";
pub(super) const USE_SANDBOX: &str = "use_sandbox";
/// Who fetches tokens: `OFF` and `REFRESH` ask no person, `GETANDREFRESH` does.
pub(super) const INITIATE_OAUTH: &str = "initiate_oauth";
pub(super) const JWT_CERT: &str = "oauth_jwt_cert";
pub(super) const JWT_CERT_TYPE: &str = "oauth_jwt_cert_type";
/// Picks one of several keys; a PEM text has one, so that there is nothing to pick.
pub(super) const JWT_CERT_SUBJECT: &str = "oauth_jwt_cert_subject";
pub(super) const JWT_ISSUER: &str = "oauth_jwt_issuer";
pub(super) const JWT_SUBJECT: &str = "oauth_jwt_subject";
pub(super) const SSO_PROPERTIES: &str = "sso_properties";

/// Adds what these keys say, in our words.
pub(super) fn translate(properties: &mut Properties) -> Result<()> {
    if let Some(scheme) = properties.text(AUTH_SCHEME) {
        let word = auth(scheme, properties)?;
        properties.add([("auth".to_owned(), Secret::new(word))])?;
    }
    sandbox(properties)?;
    certificate(properties)?;
    for (theirs, ours) in [(JWT_ISSUER, "client_id"), (JWT_SUBJECT, "username")] {
        // For a JWT they say more than the app's key and the user in general.
        if let Some(value) = properties.secret(theirs)
            && properties.text(ours).is_none()
        {
            properties.add([(ours.to_owned(), value)])?;
        }
    }
    Ok(())
}

/// Whether a person may be asked to sign in.
pub(super) fn interactive(properties: &Properties) -> Result<bool> {
    let Some(text) = properties.text(INITIATE_OAUTH) else {
        return Ok(true);
    };
    match text.to_ascii_uppercase().as_str() {
        "OFF" | "REFRESH" => Ok(false),
        "GETANDREFRESH" => Ok(true),
        _ => Err(Error::new(
            ErrorKind::Config,
            "`InitiateOAuth` is none of the words that it can be",
        )
        .with_help("write OFF, REFRESH or GETANDREFRESH")),
    }
}

/// What `SSOProperties` say of the relying party.
pub(super) fn relying_party(properties: &Properties) -> Result<Option<String>> {
    let Some(text) = properties.text(SSO_PROPERTIES) else {
        return Ok(None);
    };
    let mut found = None;
    let pairs = parse_connection_string(text).map_err(|error| error.with_context("key", "SSOProperties"))?;
    for (key, value) in pairs {
        if !key.eq_ignore_ascii_case("RelyingParty") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("`SSOProperties` says `{key}`, which is for another identity provider than WS-Trust"),
            )
            .with_help("leave `RelyingParty` alone there, or let the program get the assertion (`Config::with_assertions`)"));
        }
        found = Some(value.reveal().to_owned());
    }
    Ok(found)
}

fn sandbox(properties: &mut Properties) -> Result<()> {
    let Some(sandbox) = properties.flag(USE_SANDBOX)? else {
        return Ok(());
    };
    let (meant, other) = if sandbox {
        (SANDBOX, PRODUCTION)
    } else {
        (PRODUCTION, SANDBOX)
    };
    match properties.text("login_url") {
        // A My Domain says more than whether it is a sandbox.
        Some(url) if !url.trim().starts_with(other) => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Config,
            format!("`UseSandbox` is {sandbox}, and `login_url` is the address of the others"),
        )
        .with_help("say one of the two")),
        None => properties.add([("login_url".to_owned(), Secret::new(meant))]),
    }
}

fn certificate(properties: &mut Properties) -> Result<()> {
    let Some(value) = properties.secret(JWT_CERT) else {
        return Ok(());
    };
    let kind = properties.text(JWT_CERT_TYPE).map(str::to_ascii_uppercase);
    let key = match kind.as_deref() {
        Some("PEMKEY_FILE") => "private_key_file",
        Some("PEMKEY_BLOB") => "private_key",
        None if value.reveal().contains("-----BEGIN") => "private_key",
        None => "private_key_file",
        Some(kind) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("OAuthJWTCertType `{kind}` is not read"),
            )
            .with_help(
                "convert the key to PEM (openssl pkcs12 -in key.pfx -nocerts -out key.pem) and set \
                 OAuthJWTCertType to PEMKEY_FILE",
            ));
        }
    };
    properties.add([(key.to_owned(), value)])
}

/// Our word for an `AuthScheme`.
fn auth(scheme: &str, properties: &Properties) -> Result<&'static str> {
    let has = |key| properties.text(key).is_some();
    // Those two mean any of three, by what is given.
    let consented = if has("refresh_token") {
        "refresh_token"
    } else if has("access_token") {
        "access_token"
    } else {
        "authorization_code"
    };
    let known = [
        ("OAuth", consented),
        ("OAuthPKCE", consented),
        ("OAuthClient", "client_credentials"),
        ("OAuthPassword", "password"),
        ("OAuthJWT", "jwt_bearer"),
        ("Basic", "login"),
        ("ADFS", "saml_bearer"),
    ];
    let found = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
    if let Some((_, word)) = found {
        return Ok(word);
    }
    let providers = ["OneLogin", "PingFederate", "OKTA", "AzureAD"];
    if let Some(name) = providers.iter().find(|name| name.eq_ignore_ascii_case(scheme)) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("AuthScheme `{name}` is not built in: signing in there differs from account to account"),
        )
        .with_help(
            "let the program get the SAML assertion there (auth `saml_bearer` and `Config::with_assertions`), or use \
             an app of the org: `client_credentials` or `jwt_bearer`",
        ));
    }
    let error = Error::new(ErrorKind::Config, format!("there is no AuthScheme `{scheme}`"));
    Err(
        match nearest(scheme, known.iter().map(|(name, _)| *name)).first() {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => {
                error.with_help("write OAuthClient, OAuthJWT, OAuthPKCE, OAuth, OAuthPassword, Basic or ADFS")
            }
        },
    )
}
