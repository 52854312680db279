//! The keys of TLS.

use connector_core::{Error, ErrorKind, Properties, Result, nearest};

use super::{Config, SslMode};
use crate::pem::Pem;

const MODES: [SslMode; 4] = [
    SslMode::Disable,
    SslMode::Require,
    SslMode::VerifyCa,
    SslMode::VerifyFull,
];

pub(super) fn read(given: &Properties, config: &mut Config) -> Result<()> {
    let mode = given.text("ssl_mode").map(mode).transpose()?;
    config.ssl_mode = match (given.flag("use_ssl")?, mode) {
        (None, mode) => mode,
        (Some(true), None) => Some(SslMode::VerifyFull),
        (Some(false), None) => Some(SslMode::Disable),
        (Some(used), Some(mode)) if used == (mode != SslMode::Disable) => Some(mode),
        (Some(used), Some(mode)) => {
            let message = format!(
                "`use_ssl` {used} and `ssl_mode` `{}` contradict each other",
                mode.as_str()
            );
            return Err(Error::new(ErrorKind::Config, message).with_help("take `use_ssl` out"));
        }
    };
    config.ssl_root_cert = match given.text("ssl_root_cert") {
        None | Some("system") => None,
        Some("*") => {
            return Err(
                Error::new(ErrorKind::Config, "`ssl_root_cert` `*` would trust anybody").with_help(
                    "name the authority's PEM file; or, if anybody is meant, set `ssl_mode` to `require`",
                ),
            );
        }
        Some(value) => Some(Pem::parse(value)),
    };
    config.ssl_client_cert = given.text("ssl_client_cert").map(Pem::parse);
    config.ssl_client_key = given.text("ssl_client_key").map(Pem::parse);
    if given.text("ssl_client_cert_password").is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "`ssl_client_cert_password`: encrypted keys are not supported for TLS",
        )
        .with_help("decrypt the key: `openssl pkey -in KEY -out KEY.plain`, then `chmod 600 KEY.plain`"));
    }
    config.require_channel_binding = match given.text("channel_binding") {
        None | Some("prefer") => false,
        Some("require") => true,
        Some(other) => {
            return Err(Error::new(
                ErrorKind::Config,
                format!("there is no channel_binding `{other}`"),
            )
            .with_help("say `require` or `prefer`"));
        }
    };
    Ok(())
}

fn mode(text: &str) -> Result<SslMode> {
    let folded = text.to_ascii_lowercase().replace('_', "-");
    if let Some(mode) = MODES.into_iter().find(|mode| mode.as_str() == folded) {
        return Ok(mode);
    }
    if matches!(folded.as_str(), "prefer" | "allow") {
        return Err(Error::new(
            ErrorKind::Config,
            format!("ssl_mode `{text}` would fall back to plain text in silence"),
        )
        .with_help("say `verify-full`, or `disable` if plain text is meant"));
    }
    let near = nearest(text, MODES.iter().map(|mode| mode.as_str()));
    let help = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => "say `verify-full`, `verify-ca`, `require` or `disable`".to_owned(),
    };
    Err(Error::new(ErrorKind::Config, format!("there is no ssl_mode `{text}`")).with_help(help))
}
