//! The file of host keys that OpenSSH keeps.

use ring::hmac;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, PublicKey};

/// What the file says about a server's key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The key is the server's.
    Known,
    /// The server has no key of this kind there.
    Unknown,
    /// The server has another one there, in this line.
    Changed(usize),
    /// Nobody is to be trusted with this key, says this line.
    Revoked(usize),
}

/// Looks `key` up. Lines that cannot be read, of kinds of keys that are not known here for one, count for nothing,
/// as with OpenSSH; so do authorities.
pub(super) fn look_up(text: &str, host: &str, port: u16, key: &PublicKey) -> Found {
    let mut found = Found::Unknown;
    for (line, entry) in entries(text, host, port) {
        let same = entry.public_key().key_data() == key.key_data();
        match (entry.marker(), same) {
            (Some(Marker::Revoked), true) => return Found::Revoked(line),
            (Some(_), _) => {}
            (None, true) => found = Found::Known,
            (None, false) => {
                let comparable = entry.public_key().algorithm() == key.algorithm();
                if comparable && found == Found::Unknown {
                    found = Found::Changed(line);
                }
            }
        }
    }
    found
}

/// The kinds of keys the server has in the file.
pub(super) fn algorithms(text: &str, host: &str, port: u16) -> Vec<Algorithm> {
    entries(text, host, port)
        .filter(|(_, entry)| entry.marker().is_none())
        .map(|(_, entry)| entry.public_key().algorithm())
        .collect()
}

/// How the file names a server.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    match port {
        22 => host,
        port => format!("[{host}]:{port}"),
    }
}

/// The server's entries, with the numbers of their lines.
fn entries(text: &str, host: &str, port: u16) -> impl Iterator<Item = (usize, Entry)> {
    let name = name(host, port);
    text.lines().enumerate().filter_map(move |(i, line)| {
        let entry: Entry = line.trim().parse().ok()?;
        is_for(entry.host_patterns(), &name).then_some((i + 1, entry))
    })
}

fn is_for(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let matching = |pattern: &str| matches(pattern.to_lowercase().as_bytes(), name.as_bytes());
            let refused = patterns
                .iter()
                .filter_map(|pattern| pattern.strip_prefix('!'))
                .any(matching);
            !refused && patterns.iter().any(|pattern| matching(pattern))
        }
    }
}

/// `*` stands for any text, `?` for any character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, name) || name.split_first().is_some_and(|(_, name)| matches(pattern, name))
        }
        (Some((b'?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((a, pattern)), Some((b, name))) => a == b && matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

    fn found(text: &str, host: &str, port: u16) -> Found {
        look_up(text, host, port, &ONE.parse().unwrap())
    }

    #[test]
    fn a_key_is_known_changed_revoked_or_not_there() {
        assert_eq!(
            found(&format!("bastion {ONE} me@home"), "bastion", 22),
            Found::Known
        );
        assert_eq!(found(&format!("bastion {ONE}"), "other", 22), Found::Unknown);
        assert_eq!(
            found(&format!("# a comment\nbastion {TWO}"), "bastion", 22),
            Found::Changed(2)
        );
        assert_eq!(
            found(&format!("bastion {TWO}\nbastion {ONE}"), "bastion", 22),
            Found::Known
        );
        assert_eq!(
            found(&format!("bastion {ONE}\n@revoked * {ONE}"), "bastion", 22),
            Found::Revoked(2)
        );
        assert_eq!(
            found(&format!("@cert-authority * {ONE}"), "bastion", 22),
            Found::Unknown
        );
        assert_eq!(found("", "bastion", 22), Found::Unknown);
    }

    #[test]
    fn ports_patterns_and_hashes_name_a_server() {
        let at_port = format!("[Bastion]:2222 {ONE}");
        assert_eq!(found(&at_port, "bastion", 2222), Found::Known);
        assert_eq!(found(&at_port, "bastion", 22), Found::Unknown);
        let pattern = format!("*.example.com,!bad.example.com {ONE}");
        assert_eq!(found(&pattern, "a.example.com", 22), Found::Known);
        assert_eq!(found(&pattern, "bad.example.com", 22), Found::Unknown);
        assert_eq!(found(&format!("10.0.0.? {ONE}"), "10.0.0.7", 22), Found::Known);
        let hashed = format!("|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {TWO}");
        let two: PublicKey = TWO.parse().unwrap();
        assert_eq!(look_up(&hashed, "example.com", 22, &two), Found::Known);
        assert_eq!(look_up(&hashed, "example.org", 22, &two), Found::Unknown);
    }
}
