//! A throwaway PostgreSQL that speaks TLS, with certificates made for the occasion.

use connector_core::Secret;
use connector_postgres::{Config, Pem};
use connector_testkit::postgres::{Options, Postgres as Server};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// The one name the server's certificate is for.
pub(crate) const NAME: &str = "localhost";

/// A user who signs in by certificate alone.
pub(crate) const BY_CERTIFICATE: &str = "by_certificate";

/// A certificate and its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// An authority made for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> Pem {
        Pem::Text(Secret::new(self.0.pem()))
    }

    /// A certificate for the host `names`, or for a client called `common_name`.
    pub(crate) fn issue(
        &self,
        names: &[&str],
        common_name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A server with `ssl = on`.
pub(crate) struct TlsServer {
    /// As its superuser, with nothing said about TLS.
    pub(crate) config: Config,
    /// Who signed its certificate, and whom it lets sign its clients'.
    pub(crate) authority: Authority,
    _server: Server,
}

static SERVER: OnceCell<TlsServer> = OnceCell::const_new();

/// The server, started once for all tests.
pub(crate) async fn tls_server() -> &'static TlsServer {
    SERVER.get_or_init(start).await
}

async fn start() -> TlsServer {
    let server = tokio::task::spawn_blocking(|| {
        let mut options = Options::from_env();
        options.database_url = None;
        Server::start(&options).unwrap_or_else(|error| panic!("{error}"))
    });
    let server = server.await.unwrap();
    let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let authority = Authority::new("the authority of this test");
    let identity = authority.issue(&[NAME], "a server", ExtendedKeyUsagePurpose::ServerAuth);
    write(&client, "server.crt", &identity.certificate).await;
    write(&client, "server.key", &identity.key).await;
    write(&client, "root.crt", &authority.0.pem()).await;
    write(
        &client,
        "pg_hba.conf",
        &format!("hostssl all {BY_CERTIFICATE} all cert\nhost all all all scram-sha-256\n"),
    )
    .await;
    for sql in [
        format!("CREATE ROLE {BY_CERTIFICATE} LOGIN"),
        "ALTER SYSTEM SET ssl_ca_file = 'root.crt'".to_owned(),
        "ALTER SYSTEM SET ssl = on".to_owned(),
        "SELECT pg_reload_conf()".to_owned(),
    ] {
        client.batch_execute(&sql).await.unwrap();
    }
    while client
        .query_one("SHOW ssl", &[])
        .await
        .unwrap()
        .get::<_, String>(0)
        != "on"
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut config = Config::from_url(server.url()).unwrap();
    config.ssl_mode = None;
    NAME.clone_into(&mut config.server);
    TlsServer {
        config,
        authority,
        _server: server,
    }
}

/// Writes a file of the server's, as the server's own user, whoever that is.
async fn write(client: &Client, name: &str, text: &str) {
    let text = text.replace('\'', "''").replace('\r', "");
    let lines: Vec<String> = text.lines().map(|line| format!("('{line}')")).collect();
    let sql = format!(
        "COPY (VALUES {}) TO PROGRAM 'umask 077; cat > {name}'",
        lines.join(", ")
    );
    client.batch_execute(&sql).await.unwrap();
}
