//! The little XML that signing in needs: texts put in, texts read out.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// `text` as content of an element or of an attribute.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// The texts of a document's elements, by local name, in order. `None` where it is no XML.
pub(super) struct Texts(Vec<(String, String)>);

impl Texts {
    pub(super) fn read(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        let mut open: Vec<usize> = Vec::new();
        let mut found: Vec<(String, String)> = Vec::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    open.push(found.len());
                    found.push((start.local_name().as_ref().to_owned(), String::new()));
                }
                Event::Empty(start) => found.push((start.local_name().as_ref().to_owned(), String::new())),
                Event::End(_) => drop(open.pop()),
                Event::Text(text) => push(&mut found, &open, &text.xml10_content()),
                Event::CData(text) => push(&mut found, &open, &text),
                Event::GeneralRef(name) => match name.resolve_char_ref().ok()? {
                    Some(letter) => push(&mut found, &open, letter.encode_utf8(&mut [0; 4])),
                    None => push(&mut found, &open, resolve_predefined_entity(&name)?),
                },
                // A document that brings its own entities is not what was asked for.
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        (open.is_empty() && !found.is_empty()).then_some(Self(found))
    }

    /// The first element of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(element, _)| element == name);
        found.map(|(_, text)| text.trim())
    }
}

fn push(found: &mut [(String, String)], open: &[usize], text: &str) {
    if let Some((_, whole)) = open.last().and_then(|place| found.get_mut(*place)) {
        whole.push_str(text);
    }
}

/// The first element of that local name, byte for byte, as a document of its own: a signature over it stays good.
///
/// Prefixes that are declared around it are declared on it, which exclusive canonicalization leaves out again.
pub(super) fn element(document: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(document);
    let mut scopes: Vec<Vec<(String, String)>> = Vec::new();
    let mut start: Option<(usize, usize, String)> = None;
    let mut before = 0;
    loop {
        let event = reader.read_event().ok()?;
        let after = usize::try_from(reader.buffer_position()).ok()?;
        match event {
            Event::Start(tag) => {
                if start.is_none() && tag.local_name().as_ref() == name {
                    start = Some((before, scopes.len(), inherited(&scopes, &tag)));
                }
                scopes.push(declared(&tag));
            }
            Event::End(_) => {
                scopes.pop();
                if let Some((from, depth, inherited)) = &start
                    && scopes.len() == *depth
                {
                    let text = document.get(*from..after)?;
                    let end_of_name = text.find([' ', '\t', '\r', '\n', '>'])?;
                    let (head, rest) = text.split_at(end_of_name);
                    return Some(format!("{head}{inherited}{rest}"));
                }
            }
            Event::DocType(_) | Event::Eof => return None,
            _ => {}
        }
        before = after;
    }
}

/// The namespaces that a tag declares: attribute and value, as they are written.
fn declared(tag: &BytesStart<'_>) -> Vec<(String, String)> {
    let attributes = tag.attributes().flatten();
    attributes
        .filter(|attribute| {
            let key = attribute.key.as_ref();
            key == "xmlns" || key.starts_with("xmlns:")
        })
        .map(|attribute| (attribute.key.as_ref().to_owned(), attribute.value.into_owned()))
        .collect()
}

/// The declarations around a tag that it does not make itself.
fn inherited(scopes: &[Vec<(String, String)>], tag: &BytesStart<'_>) -> String {
    let own = declared(tag);
    let mut seen: Vec<&str> = own.iter().map(|(key, _)| key.as_str()).collect();
    let mut text = String::new();
    for (key, value) in scopes.iter().rev().flatten() {
        if !seen.contains(&key.as_str()) {
            let quote = if value.contains('"') { '\'' } else { '"' };
            let _ = write!(text, " {key}={quote}{value}{quote}");
            seen.push(key);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_name() {
        let document =
            "<a:x xmlns:a='u'><b>1 &lt; 2&#x21;</b><c><![CDATA[<raw>]]></c><d/><b>second</b></a:x>";
        let texts = Texts::read(document).unwrap();
        assert_eq!(texts.get("b"), Some("1 < 2!"));
        assert_eq!(texts.get("c"), Some("<raw>"));
        assert_eq!((texts.get("d"), texts.get("e")), (Some(""), None));
        for bad in [
            "",
            "plain",
            "<a><b></a>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a>&unknown;</a>",
            "<a>",
        ] {
            assert!(Texts::read(bad).is_none(), "{bad}");
        }
        assert_eq!(escape("<a & 'b'>"), "&lt;a &amp; &apos;b&apos;&gt;");
    }

    #[test]
    fn an_element_keeps_its_bytes_and_its_prefixes() {
        let document = "<?xml version='1.0'?>\n<t:R xmlns:t=\"urn:t\" xmlns=\"urn:d\"><t:S xmlns:s=\"urn:s\">\
                        <s:Assertion  ID='1'><s:Assertion>&amp;</s:Assertion></s:Assertion ></t:S></t:R>";
        assert_eq!(
            element(document, "Assertion").as_deref(),
            Some(
                "<s:Assertion xmlns:s=\"urn:s\" xmlns:t=\"urn:t\" xmlns=\"urn:d\"  ID='1'>\
                 <s:Assertion>&amp;</s:Assertion></s:Assertion >"
            )
        );
        assert!(element(document, "Missing").is_none());
        assert!(element("<a><Assertion>", "Assertion").is_none());
    }
}
