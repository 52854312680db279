//! Records as REST shows them.

use super::field::{Field, FieldType};
use super::soql::{Path, parent};
use super::value::{FieldValue, write_json_text};
use super::view::{RowView, View};

/// Appends a record, `attributes` first; fields of parents are nested.
pub(super) fn write_record(view: &View, row: RowView<'_>, version: u32, paths: &[Path], out: &mut Vec<u8>) {
    let paths: Vec<&Path> = paths.iter().collect();
    write_level(view, row, version, &paths, 0, out);
}

/// The fields of the record itself as paths.
pub(super) fn own(fields: impl IntoIterator<Item = usize>) -> Vec<Path> {
    fields
        .into_iter()
        .map(|field| Path {
            steps: Vec::new(),
            field,
        })
        .collect()
}

fn write_level(
    view: &View,
    row: RowView<'_>,
    version: u32,
    paths: &[&Path],
    depth: usize,
    out: &mut Vec<u8>,
) {
    let object = row.object;
    let url = format!(
        "/services/data/v{version}.0/sobjects/{}/{}",
        object.name,
        row.id()
    );
    out.extend_from_slice(
        format!(
            "{{\"attributes\":{{\"type\":\"{}\",\"url\":\"{url}\"}}",
            object.name
        )
        .as_bytes(),
    );
    let step_of = |path: &Path| path.steps.get(depth).map(|step| step.field);
    for (place, path) in paths.iter().enumerate() {
        let Some(step) = path.steps.get(depth) else {
            let meta = &object.fields[path.field];
            out.push(b',');
            write_json_text(&meta.name, out);
            out.push(b':');
            let value = row.value(path.field);
            if meta.kind == FieldType::Base64 && !value.is_null() {
                write_json_text(&format!("{url}/{}", meta.name), out);
            } else {
                shown(meta, value).write_json(meta.kind, out);
            }
            continue;
        };
        // A parent stands where its first field was asked for.
        if paths[..place]
            .iter()
            .any(|before| step_of(before) == Some(step.field))
        {
            continue;
        }
        out.push(b',');
        write_json_text(&step.name, out);
        out.push(b':');
        match parent(view, row, step) {
            None => out.extend_from_slice(b"null"),
            Some(parent) => {
                let inner: Vec<&Path> = paths
                    .iter()
                    .copied()
                    .filter(|path| step_of(path) == Some(step.field))
                    .collect();
                write_level(view, parent, version, &inner, depth + 1, out);
            }
        }
    }
    out.push(b'}');
}

/// The value as clients see it: of an encrypted text, all but the last four characters are masked.
pub(super) fn shown(field: &Field, value: FieldValue) -> FieldValue {
    match value {
        FieldValue::Text(text) if field.kind == FieldType::Encrypted => {
            let count = text.chars().count();
            let masked = text.chars().enumerate();
            masked
                .map(|(place, letter)| if place + 4 < count { '*' } else { letter })
                .collect::<String>()
                .into()
        }
        value => value,
    }
}
