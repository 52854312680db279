//! Values and records as the defect has them written.

use std::collections::BTreeSet;

use connector_core::{Batch, Op, Record, Value, WriteMode};

use super::defect::Defect;
use super::writer::{UnreliableWriter, keys};
use crate::rebuild::{floats, kept, pushed, texts};

/// A text as the defect has it; `None`: null.
fn text(defect: Defect, text: &str) -> Option<String> {
    let has_harm = match defect {
        Defect::EmptyTextIsNull => text.is_empty(),
        Defect::NullByItsWord => text == "NULL",
        Defect::NullByItsSign => text == "#N/A",
        _ => false,
    };
    let number: Option<f64> = text.parse().ok();
    let harmed = match defect {
        Defect::TextTrimmed => text.trim().to_owned(),
        Defect::TextNormalised => text.replace("e\u{301}", "\u{e9}"),
        Defect::TextInAscii => text.replace(|c: char| !c.is_ascii(), "?"),
        Defect::LineEndsUnified => text.replace("\r\n", "\n").replace('\r', "\n"),
        Defect::ByteOrderMarkRemoved => text.trim_start_matches('\u{feff}').to_owned(),
        Defect::NumbersRespelt => number.map_or_else(|| text.to_owned(), |number| number.to_string()),
        Defect::TextUnescaped => text.replace("\\n", "\n").replace("\\\\", "\\"),
        Defect::NulEndsText => text.split('\0').next().unwrap_or_default().to_owned(),
        Defect::NulLeftOut => text.replace('\0', ""),
        _ => text.to_owned(),
    };
    (!has_harm).then_some(harmed)
}

fn is_text_harm(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::EmptyTextIsNull
            | Defect::TextTrimmed
            | Defect::TextNormalised
            | Defect::TextInAscii
            | Defect::NullByItsWord
            | Defect::NullByItsSign
            | Defect::LineEndsUnified
            | Defect::ByteOrderMarkRemoved
            | Defect::NumbersRespelt
            | Defect::TextUnescaped
            | Defect::NulEndsText
            | Defect::NulLeftOut
    )
}

impl UnreliableWriter {
    /// The records with the values that are written of them.
    pub(super) fn values(&self, batch: Batch) -> Batch {
        let Some(defect) = self.this.defect else {
            return batch;
        };
        let keep = &self.request.keep;
        let first: Vec<bool> = batch
            .get(0)
            .map(|record| record.values().map(|value| value == Value::Unset).collect())
            .unwrap_or_default();
        let position = |name: &str| batch.schema().index_of(name).unwrap_or_default();
        let known = self.known();
        match defect {
            defect if is_text_harm(defect) => texts(&batch, |given| text(defect, given)),
            Defect::DecimalsThroughFloats => floats(&batch),
            Defect::NullsSkipped => respelt(&batch, |_, _, value| match value {
                Value::Null => Value::Unset,
                value => value,
            }),
            Defect::UnsetIsNull => respelt(&batch, |_, _, value| match value {
                Value::Unset => Value::Null,
                value => value,
            }),
            Defect::HistoryUnsetIsNull if self.request.mode == WriteMode::History => {
                respelt(&batch, |_, _, value| match value {
                    Value::Unset => Value::Null,
                    value => value,
                })
            }
            Defect::UnsetByFirstRecord => {
                respelt(&batch, |_, name, value| match (first[position(name)], value) {
                    (true, _) => Value::Unset,
                    (false, Value::Unset) => Value::Null,
                    (false, value) => value,
                })
            }
            Defect::UnsetIsEmptyInNew => respelt(&batch, |record, name, value| {
                let is_new = record.source_key().is_some_and(|key| !known.contains(&key));
                if is_new && name == "note" && value == Value::Unset {
                    Value::Text("")
                } else {
                    value
                }
            }),
            Defect::KeptNeverFilled => respelt(&batch, |_, name, value| {
                if keep.iter().any(|kept| kept == name) {
                    Value::Unset
                } else {
                    value
                }
            }),
            _ => batch,
        }
    }

    /// The records that are written at all; what else is counted, is counted here.
    pub(super) fn chosen(&mut self, batch: Batch) -> Batch {
        let all = batch.len();
        let Some(defect) = self.this.defect else {
            return batch;
        };
        let mut seen = self.seen.clone();
        let unanswered = match defect {
            Defect::UnansweredLeftOut => self.this.server.lock().unanswered.clone(),
            _ => BTreeSet::new(),
        };
        let mut is_over = false;
        let key_names: Vec<String> = batch.schema().primary_key_names().map(str::to_owned).collect();
        let inserts = self.request.mode == WriteMode::Insert;
        let batch = match defect {
            Defect::LongBatchCut => kept(&batch, |index, _| index < 50),
            Defect::EndMarkEnds => kept(&batch, |_, record| {
                is_over |= record.values().any(|value| value == Value::Text("\\."));
                !is_over
            }),
            Defect::NulLosesRecord => kept(&batch, |_, record| {
                !record
                    .values()
                    .any(|value| matches!(value, Value::Text(text) if text.contains('\0')))
            }),
            Defect::EmptyRecordsSkipped if !inserts && !self.request.mode.is_naming() => {
                kept(&batch, |_, record| {
                    let fields = record.schema().fields().iter().zip(record.values());
                    let mut others = fields.filter(|(field, _)| !key_names.contains(&field.name));
                    record.op() == Op::Delete || others.any(|(_, value)| value != Value::Null)
                })
            }
            Defect::FirstInBatchWins => {
                seen.clear();
                kept(&batch, |_, record| {
                    record.source_key().is_none_or(|key| seen.insert(key))
                })
            }
            Defect::FirstBatchWins => kept(&batch, |_, record| {
                record.source_key().is_none_or(|key| !seen.contains(&key))
            }),
            Defect::DeletesIgnored => kept(&batch, |_, record| record.op() == Op::Put),
            Defect::DeletesByEveryField => kept(&batch, |_, record| {
                record.op() == Op::Put || record.values().all(|value| value != Value::Unset)
            }),
            Defect::UnansweredLeftOut => {
                // They are in no count, either.
                return kept(&batch, |_, record| {
                    record.source_key().is_none_or(|key| !unanswered.contains(&key))
                });
            }
            _ => batch,
        };
        self.seen.extend(keys(&batch));
        self.report.counts.updated += (all - batch.len()) as u64;
        batch
    }
}

/// The same records with the values that `change` makes of each record, field's name and value.
fn respelt(batch: &Batch, change: impl for<'a> Fn(&Record<'a>, &str, Value<'a>) -> Value<'a>) -> Batch {
    if batch.records().any(|record| record.op() == Op::Delete) {
        return batch.clone();
    }
    pushed(batch, |builder, record, field, value| {
        builder.push(change(record, &field.name, value));
    })
}
