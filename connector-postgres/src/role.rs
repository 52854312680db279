//! A role with the least rights that this connector needs, as SQL.

use crate::ident::{Ident, Literal};

/// What a role may do that loads into some schemas, reads them, and keeps states in one of its own.
///
/// ```
/// use connector_postgres::LeastRights;
///
/// let script = LeastRights::new("loader").with_schemas(["crm", "shop"]).script();
/// assert!(script.contains(r#"GRANT USAGE, CREATE ON SCHEMA "crm" TO "loader";"#));
/// ```
#[derive(Clone, Debug)]
pub struct LeastRights {
    role: String,
    schemas: Vec<String>,
    state_schema: String,
    makes_tables: bool,
}

impl LeastRights {
    /// Of a role that makes tables in `public`, or uses those that are there, and keeps states in `sync`.
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            schemas: vec!["public".to_owned()],
            state_schema: "sync".to_owned(),
            makes_tables: true,
        }
    }

    /// The same in other schemas; those that are missing are made.
    #[must_use]
    pub fn with_schemas(mut self, schemas: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.schemas = schemas.into_iter().map(Into::into).collect();
        self
    }

    /// The same with states in another schema.
    #[must_use]
    pub fn with_state_schema(mut self, schema: impl Into<String>) -> Self {
        self.state_schema = schema.into();
        self
    }

    /// The same for tables that somebody else has made: it makes none, and changes no columns. Overwriting is not among
    /// what it may do, for that builds a table beside.
    #[must_use]
    pub fn without_making_tables(mut self) -> Self {
        self.makes_tables = false;
        self
    }

    /// The script: to be run in the database by a superuser, again whenever tables of others have joined. It makes the
    /// role, without a password, if it is not there, and takes nothing from it that it has.
    ///
    /// - On the database: to connect, and to make the temporary tables that rows are merged from.
    /// - On each schema: to use it, to read and change the rows of its tables, those included that whoever runs the
    ///   script makes later, and to take numbers from its sequences. To make tables, which are then its own, so that it
    ///   can add and widen their columns and replace them.
    /// - The schema of states is its own: it makes and migrates what is in there.
    pub fn script(&self) -> String {
        let role = Ident(&self.role).to_string();
        let make = format!(
            "BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) THEN CREATE ROLE {role} LOGIN; END IF; END",
            Literal(&self.role)
        );
        let database = format!(
            "BEGIN EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), {}); END",
            Literal(&self.role)
        );
        let mut script = format!("BEGIN;\nDO {};\nDO {};\n", Literal(&make), Literal(&database));
        let create = if self.makes_tables { ", CREATE" } else { "" };
        for schema in &self.schemas {
            let schema = Ident(schema);
            script.push_str(&format!(
                "CREATE SCHEMA IF NOT EXISTS {schema};
GRANT USAGE{create} ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role};
"
            ));
        }
        let sync = Ident(&self.state_schema);
        script.push_str(&format!(
            "CREATE SCHEMA IF NOT EXISTS {sync} AUTHORIZATION {role};
GRANT USAGE, CREATE ON SCHEMA {sync} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {sync} TO {role};
COMMIT;
"
        ));
        script
    }
}
