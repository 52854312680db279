//! Folded fields in SQL: text, and nothing else.
//!
//! A staged value is the whole object, null where all is null; or a patch, as [`Fold`](connector_core::Fold) makes it. In
//! the table there is never a patch.

use super::{Overflow, REST};
use crate::ident::{Ident, Literal};

const COLUMN: Ident<'_> = Ident(REST);

/// The object that the members of a patch come to by themselves.
fn plain(members: &str) -> String {
    format!("(SELECT jsonb_object_agg(e.key, e.value->0) FROM jsonb_each({members}) e WHERE e.value <> '[]')")
}

impl Overflow {
    fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
        let names: Vec<String> = names.map(|name| Literal(name).to_string()).collect();
        format!("ARRAY[{}]", names.join(", "))
    }

    /// What a new row gets of a staged one; only where rows are `masked` are there patches.
    pub(crate) fn new_value(&self, staged: &str, masked: bool) -> String {
        let staged = format!("{staged}.{COLUMN}");
        if !masked {
            return staged;
        }
        format!(
            "CASE WHEN {staged} ? '' THEN {} ELSE {staged} END",
            plain(&format!("{staged}->''"))
        )
    }

    /// What the row `old` gets: what the staged one says nothing about stays, and so do fields that nobody wrote here.
    pub(crate) fn changed_value(&self, old: &str, staged: &str, masked: bool) -> String {
        let (old, staged) = (format!("{old}.{COLUMN}"), format!("{staged}.{COLUMN}"));
        let put_into = |kept: &str, put: &str| {
            format!(
                "nullif(coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each({old}) e WHERE {kept}), '{{}}') \
                 || coalesce({put}, '{{}}'), '{{}}')"
            )
        };
        // Mostly it is the same, which costs less to see than to make.
        let whole = format!(
            "CASE WHEN ROW({old})::record *= ROW({staged})::record THEN {old} ELSE {} END",
            put_into(
                &format!("e.key <> ALL ({})", Self::names(self.names.iter())),
                &staged
            )
        );
        if !masked {
            return whole;
        }
        let patch = format!("({staged}->'')");
        format!(
            "CASE WHEN {staged} ? '' THEN {} ELSE {whole} END",
            put_into(&format!("NOT {patch} ? e.key"), &plain(&patch))
        )
    }

    /// One staged value of all of a key's rows `g`, which have a `place` and say something where `said` is true: each
    /// field as the last of them has it that says something about it. It is no patch where the aggregate `is_new` says
    /// that the row begins with it.
    pub(crate) fn last_words(&self, said: &str, is_new: &str) -> String {
        format!(
            "(SELECT CASE WHEN a.members IS NULL THEN NULL WHEN a.is_whole OR {is_new} THEN {plain} \
                ELSE jsonb_build_object('', a.members) END \
              FROM (SELECT jsonb_object_agg(m.key, m.list ORDER BY p.n) AS members, \
                    bool_or(NOT coalesce(p.value ? '', false)) AS is_whole \
                FROM unnest(array_agg(g.{COLUMN} ORDER BY g.place) FILTER (WHERE {said})) WITH ORDINALITY AS p (value, n), \
                    LATERAL (SELECT e.key, e.value AS list FROM jsonb_each(p.value->'') e \
                        UNION ALL SELECT f.key, \
                            CASE WHEN p.value ? f.key THEN jsonb_build_array(p.value->f.key) ELSE '[]' END \
                        FROM unnest({folded}) AS f (key) WHERE NOT coalesce(p.value ? '', false)) m) a)",
            plain = plain("a.members"),
            folded = Self::names(self.folded.iter().map(|(name, _)| name)),
        )
    }

    /// The fields that a staged row says something about, as an object in which null is null.
    pub(crate) fn staged_members(&self, staged: &str) -> String {
        let staged = format!("{staged}.{COLUMN}");
        format!(
            "CASE WHEN {staged} ? '' THEN (SELECT jsonb_object_agg(e.key, e.value->0) FROM jsonb_each({staged}->'') e) \
             ELSE (SELECT jsonb_object_agg(f.key, {staged}->f.key) FROM unnest({}) AS f (key)) END",
            Self::names(self.folded.iter().map(|(name, _)| name))
        )
    }
}
