//! Names as users write them: `name`, `schema.name`, quoted or folded to lower case.

use crate::error::{Result, SqlError};
use std::ffi::CString;

/// PostgreSQL's limit for a name, in bytes.
const MAX_BYTES: usize = 63;

/// A name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifiedName {
    /// The schema, where one is given.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

/// Reads a name as SQL reads it.
pub fn parse(text: &str) -> Result<QualifiedName> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = part(rest, text)?;
        parts.push(part);
        rest = after.trim_start();
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => break,
            None => return Err(invalid(text)),
        }
    }
    let name = parts.pop().unwrap_or_default();
    let schema = parts.pop();
    if !parts.is_empty() {
        return Err(SqlError::new("42601", format!("too many dots in the name {text}"))
            .hint("Write schema.name, or quote a name that holds a dot: \"my.name\"."));
    }
    Ok(QualifiedName { schema, name })
}

fn part<'a>(text: &'a str, whole: &str) -> Result<(String, &'a str)> {
    let (part, rest) = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted).ok_or_else(|| invalid(whole))?,
        None => {
            let end = text
                .char_indices()
                .find(|(n, c)| !is_plain(*c, *n == 0))
                .map_or(text.len(), |(n, _)| n);
            (text[..end].to_ascii_lowercase(), &text[end..])
        }
    };
    if part.is_empty() {
        return Err(if whole.trim().is_empty() {
            SqlError::new("42602", "the name of a stream table is empty")
                .hint("Give it a name, for example order_totals.")
        } else {
            invalid(whole)
        });
    }
    if part.len() > MAX_BYTES {
        let bytes = part.len();
        return Err(SqlError::new(
            "42622",
            format!("the name \"{part}\" is {bytes} bytes long, more than PostgreSQL's {MAX_BYTES}"),
        )
        .hint("Choose a shorter name."));
    }
    Ok((part, rest))
}

fn is_plain(c: char, first: bool) -> bool {
    c == '_' || c.is_ascii_alphabetic() || !c.is_ascii() || (!first && (c.is_ascii_digit() || c == '$'))
}

/// What stands before the closing quote, and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, rest)),
        }
    }
}

fn invalid(text: &str) -> Box<SqlError> {
    SqlError::new("42602", format!("invalid name of a stream table: {text}"))
        .hint("Write it as in SQL; a name with blanks, capitals or signs in double quotes: \"My table\".")
}

/// A C string; text of ours and of PostgreSQL has no zero byte, and would end there.
#[must_use]
pub fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, schema: Option<&str>, name: &str) {
        let parsed = parse(text).expect(text);
        assert_eq!((parsed.schema.as_deref(), parsed.name.as_str()), (schema, name));
    }

    fn fails(text: &str, sqlstate: &str) {
        assert_eq!(parse(text).expect_err(text).sqlstate, sqlstate);
    }

    #[test]
    fn names_are_read_as_in_sql() {
        check("Totals", None, "totals");
        check("\"Totals\"", None, "Totals");
        check(" a . \"b\"\"c.d\" ", Some("a"), "b\"c.d");
        check("größe", None, "größe");
        check("x$1", None, "x$1");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        fails("", "42602");
        fails("  ", "42602");
        fails("a b", "42602");
        fails("1a", "42602");
        fails("a.", "42602");
        fails("\"a", "42602");
        fails("a.b.c", "42601");
        fails(&"x".repeat(64), "42622");
        fails("a; drop table b", "42602");
    }

    #[test]
    fn sixty_three_bytes_fit() {
        check(&"x".repeat(63), None, &"x".repeat(63));
        fails(&format!("{}ü", "x".repeat(62)), "42622");
    }
}
