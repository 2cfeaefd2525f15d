//! The names of failure classes, in the schema.

use std::borrow::Cow;

use plimsoll_core::outcome::FailureClass;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// One of the names.
pub(super) struct ClassName;

impl JsonSchema for ClassName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FailureClass".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": FailureClass::ALL.map(FailureClass::name)})
    }
}
