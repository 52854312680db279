//! A write-back that comes back: what a load finds that this system wrote to its source itself.

use super::change::Layout;
use super::journal::Book;
use super::plan::Plan;
use super::row::{Row, says};
use crate::batch::Record;
use crate::destination::{Drift, WriteRequest};
use crate::difference::Target;
use crate::journal::Standing;
use crate::key::Key;
use crate::value::Value;

/// Where a table holds what was written back to the system that its records come from, by positions of the table.
pub(super) struct Fingerprints {
    target: Target,
    drift: Drift,
    key: Vec<usize>,
    /// The fields written back, under their names there.
    fields: Vec<(String, usize)>,
    /// Every other field, and whether anybody but the system can edit it.
    others: Vec<(usize, bool)>,
}

/// What a record tells about an earlier write-back of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// It is what was written back, and nothing else that people edit has changed.
    pub(super) echo: bool,
    /// It no longer holds what was written back.
    pub(super) drifted: bool,
}

impl Fingerprints {
    /// `None` where nothing was written back to there, or the load leaves out a field that was: it cannot tell then
    /// whether that has drifted.
    pub(super) fn find(book: &mut Book, request: &WriteRequest, plan: &Plan) -> Option<Self> {
        let origin = request.origin.as_ref().filter(|_| request.fence.is_some())?;
        let entries = book.entries(&origin.target)?;
        let position = |there: &String| {
            let (here, _) = origin.fields.iter().find(|(_, source)| source == there)?;
            plan.schema.fields().iter().position(|field| field.name == *here)
        };
        let key: Vec<usize> = entries.match_on.iter().map(position).collect::<Option<_>>()?;
        let fields: Vec<(String, usize)> = entries
            .fields
            .iter()
            .map(|there| position(there).map(|position| (there.clone(), position)))
            .collect::<Option<_>>()?;
        if key.is_empty() || fields.is_empty() {
            return None;
        }
        let ours = |position: usize| {
            let layout = &plan.layout;
            layout.keep.contains(&position)
                || layout.key.contains(&position)
                || fields.iter().any(|&(_, field)| field == position)
        };
        let others = plan
            .schema
            .fields()
            .iter()
            .enumerate()
            .filter_map(|(position, field)| {
                let given = request.schema.field(&field.name).filter(|_| !ours(position))?;
                Some((position, given.access.updatable))
            });
        Some(Self {
            target: origin.target.clone(),
            drift: request.drift,
            others: others.collect(),
            key,
            fields,
        })
    }

    /// Compares what came with what was confirmed. What has drifted is forgotten where it is to be sent again.
    pub(super) fn judge(
        &self,
        book: &mut Book,
        record: &Record<'_>,
        layout: &Layout,
        before: Option<&Row>,
        after: &Row,
    ) -> Judgement {
        let said = |&(_, position): &(String, usize)| layout.value(record, position) != Value::Unset;
        let key = Key::from_values(after.values(&self.key));
        let entry = book
            .entries(&self.target)
            .and_then(|entries| entries.records.get_mut(&key));
        let (Some(entry), true) = (entry, self.fields.iter().all(said)) else {
            return Judgement::default();
        };
        let Some(confirmed) = &entry.confirmed else {
            return Judgement::default();
        };
        let holds = confirmed.fields().iter().enumerate().all(|(i, field)| {
            let place = self.fields.iter().find(|(there, _)| *there == field.name);
            place.is_some_and(|&(_, position)| says(&layout.value(record, position), &confirmed.value(i)))
        });
        if !holds {
            if self.drift == Drift::Overwrite {
                entry.confirmed = None;
                if entry.standing == Standing::Confirmed {
                    entry.standing = Standing::Unconfirmed;
                }
            }
            return Judgement {
                echo: false,
                drifted: true,
            };
        }
        let differs = |editable: bool| {
            let others = self.others.iter().filter(|&&(_, other)| other == editable);
            before.is_some_and(|before| {
                others.into_iter().any(|&(position, _)| {
                    !super::row::is_same(&before.value(position), &after.value(position))
                })
            })
        };
        Judgement {
            echo: differs(false) && !differs(true),
            drifted: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Memory;
    use super::super::testing::{batch, claim, now, read, read_all, task, writer};
    use super::*;
    use crate::batch::Op;
    use crate::catalog::StreamName;
    use crate::connector::Identity;
    use crate::destination::{Origin, WriteMode};
    use crate::difference::Difference;
    use crate::journal::Journal;
    use crate::report::{Counts, Fate, Outcome};
    use crate::schema::{Access, DataType, Field, Schema};
    use crate::source::SyncMode;
    use crate::state::Claim;

    /// A lead as the CRM shows it: its score is written back to, its stamp is the system's own.
    fn lead() -> Schema {
        let fields = vec![
            Field::new("id", DataType::Int64),
            Field::new("score", DataType::Int32),
            Field::new("name", DataType::TEXT),
            Field::new("stamp", DataType::Int64).with_access(Access::READ_ONLY),
        ];
        Schema::new(fields, ["id"]).unwrap()
    }

    fn crm() -> Target {
        Target {
            identity: Identity::new("memory", "crm"),
            object: "Lead".to_owned(),
        }
    }

    fn load(db: &Memory, claim: &mut Claim, drift: Drift, leads: &[(i64, i64, &str, i64)]) -> Counts {
        let pair = |name: &str| (name.to_owned(), name.to_owned());
        let origin = Origin {
            target: crm(),
            fields: ["id", "score", "name", "stamp"].map(pair).to_vec(),
        };
        let request = WriteRequest::new(
            StreamName::new("lead"),
            Arc::new(lead()),
            WriteMode::Upsert,
            task(),
        )
        .with_match_on(vec!["id".to_owned()])
        .with_fence(Some(claim.fence.clone()))
        .with_drift(drift)
        .with_origin(Some(origin));
        let mut upsert = writer(db, request);
        let record = |&(id, score, name, stamp)| {
            let values = vec![
                Value::Int(id),
                Value::Int(score),
                Value::Text(name),
                Value::Int(stamp),
            ];
            (Op::Put, values)
        };
        now(upsert.write(batch(lead(), leads.iter().map(record)))).unwrap();
        let counts = now(upsert.finish(None)).unwrap().counts;
        claim.fence.commit_no += 1;
        counts
    }

    /// A database that has loaded leads 1 and 2, and written score 9 back to lead 1.
    fn written_back() -> (Memory, Claim) {
        let db = Memory::new("db");
        let mut claim = claim(&db);
        load(
            &db,
            &mut claim,
            Drift::Overwrite,
            &[(1, 0, "Ada", 1), (2, 0, "Ada", 1)],
        );
        let pair = |name: &str| vec![(name.to_owned(), name.to_owned())];
        let difference = Difference {
            target: crm(),
            fence: claim.fence.clone(),
            match_on: pair("id"),
            fields: pair("score"),
            full: false,
        };
        let scored = Schema::new(
            vec![
                Field::new("id", DataType::Int64),
                Field::new("score", DataType::Int32),
            ],
            ["id"],
        );
        let scores = batch(scored.unwrap(), [(Op::Put, vec![Value::Int(1), Value::Int(9)])]);
        db.put("lead", &scores).unwrap();
        let sent = read_all(&db, read(SyncMode::Difference(difference)))
            .unwrap()
            .records;
        assert_eq!(sent, ["1 9", "2 0"]);
        let fate = Fate {
            key: Key::new("1"),
            outcome: Outcome::Updated,
        };
        now(db.settle(&claim.fence, &crm(), &[fate])).unwrap();
        (db, claim)
    }

    #[test]
    fn a_write_back_that_comes_back_is_an_echo_and_an_edit_is_not() {
        let (db, mut claim) = written_back();
        let counts = load(
            &db,
            &mut claim,
            Drift::Overwrite,
            &[(1, 9, "Ada", 2), (2, 0, "Ada", 2)],
        );
        assert_eq!((counts.echo, counts.updated, counts.accounted()), (1, 1, 2));
        let counts = load(&db, &mut claim, Drift::Overwrite, &[(1, 9, "Eve", 3)]);
        assert_eq!((counts.echo, counts.updated, counts.drifted), (0, 1, 0));
        assert_eq!(db.standing(&crm(), &Key::new("1")), Some(Standing::Confirmed));
    }

    #[test]
    fn a_value_edited_over_a_write_back_is_drift_and_is_sent_again_unless_told_otherwise() {
        for (drift, standing) in [
            (Drift::Report, Standing::Confirmed),
            (Drift::Overwrite, Standing::Unconfirmed),
        ] {
            let (db, mut claim) = written_back();
            let counts = load(&db, &mut claim, drift, &[(1, 5, "Ada", 2)]);
            assert_eq!((counts.echo, counts.updated, counts.drifted), (0, 1, 1));
            assert_eq!(db.standing(&crm(), &Key::new("1")), Some(standing));
        }
    }
}
