//! The streams there are, as data.

mod customers;
mod def;
mod orders;

use connector_core::{Error, ErrorKind, Result, Selection, nearest};

pub(crate) use def::{Paging, Pass, StreamDef, Version};

/// Every stream, in the order they are listed.
pub(crate) const STREAMS: &[StreamDef] = &[customers::CUSTOMERS, orders::ORDERS];

/// The column of fields that a table does not know.
pub(crate) const EXTRA: &str = "_extra";

/// The stream that `selection` names.
///
/// # Errors
/// [`ErrorKind::NotFound`]: there is none; [`ErrorKind::Unsupported`]: it is a query.
pub(crate) fn find(selection: &Selection) -> Result<&'static StreamDef> {
    let Selection::Stream(name) = selection else {
        return Err(
            Error::new(ErrorKind::Unsupported, "BigCommerce has no query language")
                .with_help("name a stream, such as `customers`"),
        );
    };
    let name = name.as_str();
    STREAMS.iter().find(|stream| stream.name == name).ok_or_else(|| {
        let names = || STREAMS.iter().map(|stream| stream.name);
        let near = nearest(name, names());
        let help = if near.is_empty() {
            format!("the streams are `{}`", names().collect::<Vec<_>>().join("`, `"))
        } else {
            format!("did you mean `{}`?", near.join("` or `"))
        };
        Error::new(ErrorKind::NotFound, format!("there is no stream `{name}`")).with_help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_makes_a_schema_with_its_key_and_cursor() {
        for stream in STREAMS {
            let schema = stream.schema().unwrap();
            assert_eq!(
                schema.primary_key_names().collect::<Vec<_>>(),
                [stream.key],
                "{}",
                stream.name
            );
            assert!(schema.field(stream.cursor).is_some(), "{}", stream.name);
            assert_eq!(
                schema.fields().last().map(|field| field.name.as_str()),
                Some(EXTRA)
            );
            assert!(!stream.path.starts_with('/') && !stream.path.ends_with('/'));
            for pass in stream.passes {
                assert!(pass.keeps.is_none_or(|(field, _)| schema.field(field).is_some()));
            }
        }
    }

    #[test]
    fn a_misspelt_stream_names_the_nearest() {
        let error = find(&Selection::stream("Order")).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "there is no stream `Order`\nhelp: did you mean `orders`?"
        );
        assert_eq!(
            find(&Selection::Query("select 1".into())).unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }
}
