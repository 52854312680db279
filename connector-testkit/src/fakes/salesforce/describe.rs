//! `/services/data`, the object list and describe.

use serde_json::{Value, json};

use super::field::{Field, FieldType};
use super::object::ObjectType;
use super::schema::Schema;

/// The answer of `/services/data`.
pub(super) fn versions() -> Value {
    const LABELS: [&str; 3] = ["Spring", "Summer", "Winter"];
    let versions = (46_u32..=67).map(|version| {
        // v46 is Summer '19; three releases a year, the winter one named after the next year.
        let ordinal = version - 45;
        let season = LABELS[(ordinal % 3) as usize];
        let year = 19 + ordinal / 3 + u32::from(season == "Winter");
        json!({
            "label": format!("{season} '{year}"),
            "url": format!("/services/data/v{version}.0"),
            "version": format!("{version}.0"),
        })
    });
    Value::Array(versions.collect())
}

/// The answer of `/services/data/vX`.
pub(super) fn resources(version: u32) -> Value {
    let names = ["sobjects", "query", "queryAll", "limits", "composite", "jobs"];
    names
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!(format!("/services/data/v{version}.0/{name}")),
            )
        })
        .collect()
}

/// The answer of `/sobjects`.
pub(super) fn list(schema: &Schema, version: u32) -> Value {
    let objects: Vec<Value> = schema
        .objects()
        .iter()
        .map(|object| flags(object, version))
        .collect();
    json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects })
}

/// The answer of `/sobjects/X/describe`.
pub(super) fn object(object: &ObjectType, version: u32) -> Value {
    let mut description = flags(object, version);
    description["fields"] = object.visible().map(|(_, meta)| field(meta)).collect();
    description["childRelationships"] = json!([]);
    description["recordTypeInfos"] = json!([{
        "active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master",
        "master": true, "name": "Master", "recordTypeId": "012000000000000AAA",
    }]);
    description["supportedScopes"] =
        json!([{ "label": format!("All {}", object.plural), "name": "everything" }]);
    description["namedLayoutInfos"] = json!([]);
    description
}

fn flags(object: &ObjectType, version: u32) -> Value {
    let base = format!("/services/data/v{version}.0/sobjects/{}", object.name);
    json!({
        "name": object.name, "label": object.label, "labelPlural": object.plural, "keyPrefix": text(&object.key_prefix),
        "custom": object.name.ends_with("__c"), "customSetting": false, "createable": object.createable,
        "updateable": object.updateable, "deletable": object.deletable, "undeletable": object.undeletable,
        "queryable": object.queryable, "retrieveable": object.retrieveable,
        "replicateable": object.replicateable, "searchable": object.searchable, "triggerable": true,
        "mergeable": object.mergeable,
        "layoutable": true, "activateable": false, "mruEnabled": true, "feedEnabled": true,
        "deprecatedAndHidden": object.deprecated_and_hidden, "deepCloneable": false, "hasSubtypes": false, "isInterface": false,
        "isSubtype": false, "associateEntityType": null, "associateParentEntity": null,
        "urls": {
            "sobject": base, "describe": format!("{base}/describe"), "rowTemplate": format!("{base}/{{ID}}"),
        },
    })
}

/// `null` for an empty text.
fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::from(text)
    }
}

fn field(field: &Field) -> Value {
    let choices: Vec<Value> = field
        .choices
        .iter()
        .enumerate()
        .map(|(place, choice)| {
            let default = field.defaulted_on_create && place == 0;
            json!({ "active": true, "defaultValue": default, "label": choice, "validFor": null, "value": choice })
        })
        .collect();
    let boolean_default = if field.kind == FieldType::Boolean {
        Value::Bool(false)
    } else {
        Value::Null
    };
    let mut all = json!({
        "aggregatable": !field.kind.is_compound(), "aiPredictionField": false, "autoNumber": field.auto_number,
        "byteLength": field.byte_length, "calculated": field.calculated, "calculatedFormula": null, "cascadeDelete": false,
        "caseSensitive": field.case_sensitive, "compoundFieldName": text(&field.compound), "controllerName": null,
        "createable": field.createable, "custom": field.is_custom(), "defaultValue": boolean_default,
        "defaultValueFormula": null, "defaultedOnCreate": field.defaulted_on_create, "dependentPicklist": false,
        "deprecatedAndHidden": false, "digits": field.digits, "displayLocationInDecimal": false,
        "encrypted": false, "externalId": field.external_id, "extraTypeInfo": text(field.extra_type_info),
        "filterable": field.filterable, "filteredLookupInfo": null, "formulaTreatNullNumberAsZero": false,
        "groupable": field.groupable, "highScaleNumber": false, "htmlFormatted": false,
        "idLookup": field.id_lookup, "inlineHelpText": null,
    });
    let rest = json!({
        "label": field.label, "length": field.length, "mask": null, "maskType": null, "name": field.name,
        "nameField": field.name == "Name", "namePointing": field.reference_to.len() > 1, "nillable": field.nillable,
        "permissionable": field.nillable && field.updateable, "picklistValues": choices,
        "polymorphicForeignKey": field.reference_to.len() > 1, "precision": field.precision,
        "queryByDistance": field.kind.is_compound(), "referenceTargetField": null,
        "referenceTo": field.reference_to, "relationshipName": text(&field.relationship_name),
        "relationshipOrder": null, "restrictedDelete": false, "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale, "searchPrefilterable": field.kind == FieldType::Reference,
        "soapType": field.soap_type, "sortable": field.sortable, "type": field.type_name,
        "unique": field.unique, "updateable": field.updateable, "writeRequiresMasterRead": false,
    });
    if let (Value::Object(all), Value::Object(rest)) = (&mut all, rest) {
        all.extend(rest);
    }
    all
}
