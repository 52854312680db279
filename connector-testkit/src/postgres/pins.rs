//! The packages of server binaries that are fetched, each with the checksum of its one file.

use sha2::{Digest, Sha256, Sha512};

use super::options::PackageClient;

/// One package for one platform.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) client: PackageClient,
    os: &'static str,
    arch: &'static str,
    /// PostgreSQL's version.
    pub(super) postgres: &'static str,
    /// What the package client calls the platform.
    pub(super) platform: &'static str,
    /// SHA-512 in Base64 for npm, as its registries publish it, SHA-256 in hexadecimal for pip.
    checksum: &'static str,
}

pub(super) const NPM_VERSION: &str = "18.4.0-beta.17";
pub(super) const PIP_VERSION: &str = "0.1.4";

const PINS: [Pin; 7] = [
    npm(
        "linux",
        "x86_64",
        "linux-x64",
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    npm(
        "linux",
        "aarch64",
        "linux-arm64",
        "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    ),
    npm(
        "macos",
        "x86_64",
        "darwin-x64",
        "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    ),
    npm(
        "macos",
        "aarch64",
        "darwin-arm64",
        "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    ),
    pip(
        "linux",
        "x86_64",
        "manylinux_2_17_x86_64",
        "d595789b47624a3d963aa9aa6359da9be31beb7e61f1a45541953242068b8813",
    ),
    pip(
        "macos",
        "x86_64",
        "macosx_10_9_x86_64",
        "854fa9394d495b3a332c954b63d4356b56d29220530e6d2aae146821bf87e05a",
    ),
    pip(
        "macos",
        "aarch64",
        "macosx_11_0_arm64",
        "0cc5a64f40749c0e9752cd63784e63dfcf1f3e5ecd2279b6b59f7c64fb520fb4",
    ),
];

const fn npm(os: &'static str, arch: &'static str, platform: &'static str, checksum: &'static str) -> Pin {
    Pin {
        client: PackageClient::Npm,
        os,
        arch,
        postgres: "18.4",
        platform,
        checksum,
    }
}

const fn pip(os: &'static str, arch: &'static str, platform: &'static str, checksum: &'static str) -> Pin {
    Pin {
        client: PackageClient::Pip,
        os,
        arch,
        postgres: "16.2",
        platform,
        checksum,
    }
}

/// The package a client has for this platform.
pub(super) fn find(client: PackageClient) -> Option<&'static Pin> {
    PINS.iter().find(|pin| {
        pin.client == client && pin.os == std::env::consts::OS && pin.arch == std::env::consts::ARCH
    })
}

impl Pin {
    /// The folder of the unpacked package, by name.
    pub(super) fn folder(&self) -> String {
        format!("postgres-{}-{}", self.postgres, self.platform)
    }

    /// The folder of the binaries in the unpacked package.
    pub(super) fn bin(&self) -> &'static str {
        match self.client {
            PackageClient::Npm => "package/native/bin",
            PackageClient::Pip => "pgserver/pginstall/bin",
        }
    }

    pub(super) fn matches(&self, file: &[u8]) -> bool {
        use base64::Engine;
        let sum = match self.client {
            PackageClient::Npm => base64::engine::general_purpose::STANDARD.encode(Sha512::digest(file)),
            PackageClient::Pip => Sha256::digest(file)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        };
        sum == self.checksum
    }
}
