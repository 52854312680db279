//! The objects that a read of everything leaves out: they answer no query without a condition of their own.
//!
//! Each can still be read by name with a `filter`, or by a query.

const BY_PARENT: &str = "it is queried by the id of a record it belongs to: read it with a filter";
const CHILDREN: &str = "it can only be queried below the record it belongs to";
const BY_OBJECT: &str = "it is queried by the object it tells of: read it with a filter";
const BY_STATUS: &str = "it is queried by the status and language of an article: read it with a filter";

/// Why a read of everything leaves `object` out; `None`: it does not.
pub(crate) fn why_left_out(object: &str) -> Option<&'static str> {
    match object {
        "ContentDocumentLink"
        | "ContentFolderItem"
        | "ContentFolderMember"
        | "Vote"
        | "IdeaComment"
        | "CollaborationGroupRecord" => Some(BY_PARENT),
        "UserRecordAccess" => Some("it is queried by a user and a record: read it with a filter"),
        "FieldDefinition" | "EntityParticle" => Some(BY_OBJECT),
        "ActivityHistory" | "OpenActivity" => Some(CHILDREN),
        "KnowledgeArticleVersion" => Some(BY_STATUS),
        _ if object.ends_with("__x") => {
            Some("it is an external object: each query asks another system, within limits of its own")
        }
        _ if object.ends_with("__b") => {
            Some("it is a big object: it is queried by its index from the left: read it with a filter")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_condition_is_left_out_and_nothing_else() {
        for object in ["ContentDocumentLink", "ActivityHistory", "Order__x", "Log__b"] {
            assert!(why_left_out(object).is_some(), "{object}");
        }
        for object in ["Lead", "ContentDocument", "Index__c", "LeadHistory"] {
            assert_eq!(why_left_out(object), None, "{object}");
        }
    }
}
