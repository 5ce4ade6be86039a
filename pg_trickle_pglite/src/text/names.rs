//! Names as users write them (`name`, `schema.name`, quoted or folded to lower case) and as SQL has them.

/// `schema.name`, quoted where it has to be.
pub use pg_trickle_core::sql::ident::qualified;
/// A name, quoted where it has to be.
pub use pg_trickle_core::sql::ident::quote_ident as quoted;

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

impl QualifiedName {
    /// As SQL, for PostgreSQL to resolve.
    #[must_use]
    pub fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => qualified(schema, &self.name),
            None => quoted(&self.name),
        }
    }
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    /// Five characters.
    pub sqlstate: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl NameError {
    fn new(sqlstate: &'static str, message: String, hint: &'static str) -> Self {
        Self {
            sqlstate,
            message,
            hint,
        }
    }
}

/// Reads a name as SQL reads it.
///
/// # Errors
/// Says why the text is no name.
pub fn parse(text: &str) -> Result<QualifiedName, NameError> {
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
        return Err(NameError::new(
            "42601",
            format!("too many dots in the name {text}"),
            "Write schema.name, or quote a name that holds a dot: \"my.name\".",
        ));
    }
    Ok(QualifiedName { schema, name })
}

fn part<'a>(text: &'a str, whole: &str) -> Result<(String, &'a str), NameError> {
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
            NameError::new(
                "42602",
                "the name of a stream table is empty".to_owned(),
                "Give it a name, for example order_totals.",
            )
        } else {
            invalid(whole)
        });
    }
    if part.len() > MAX_BYTES {
        let bytes = part.len();
        return Err(NameError::new(
            "42622",
            format!("the name \"{part}\" is {bytes} bytes long, more than PostgreSQL's {MAX_BYTES}"),
            "Choose a shorter name.",
        ));
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

fn invalid(text: &str) -> NameError {
    NameError::new(
        "42602",
        format!("invalid name of a stream table: {text}"),
        "Write it as in SQL; a name with blanks, capitals or signs in double quotes: \"My table\".",
    )
}

/// A `search_path` under which temporary objects come last: those of the session belong to whoever uses it now.
#[must_use]
pub fn temporaries_last(path: &str) -> String {
    let mut schemas: Vec<&str> = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in path.char_indices().chain([(path.len(), ',')]) {
        is_quoted ^= c == '"';
        if c == ',' && !is_quoted {
            schemas.push(path[start..at].trim());
            start = at + 1;
        }
    }
    schemas.retain(|schema| !schema.is_empty() && !schema.trim_matches('"').eq_ignore_ascii_case("pg_temp"));
    schemas.push("pg_temp");
    schemas.join(", ")
}

/// The text of an array of numbers.
#[must_use]
pub fn array<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("{{{}}}", numbers.join(","))
}

#[cfg(test)]
mod tests {
    use super::{array, parse, temporaries_last};

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
    fn names_are_quoted_as_in_sql() {
        let sql = |text| parse(text).expect("a name").sql();
        assert_eq!([sql("a.B"), sql("\"B\""), sql("order")], ["a.b", "\"B\"", "\"order\""]);
    }

    #[test]
    fn temporary_objects_come_last() {
        for (path, safe) in [
            ("\"$user\", public", "\"$user\", public, pg_temp"),
            ("", "pg_temp"),
            ("pg_temp, a", "a, pg_temp"),
            (
                "a,\"pg_temp\" , PG_TEMP,\"b, \"\"pg_temp\"\",c\"",
                "a, \"b, \"\"pg_temp\"\",c\", pg_temp",
            ),
        ] {
            assert_eq!(temporaries_last(path), safe);
        }
    }

    #[test]
    fn arrays_hold_numbers() {
        assert_eq!(array([1, 2]), "{1,2}");
        assert_eq!(array::<i32>([]), "{}");
    }

    #[test]
    fn sixty_three_bytes_fit() {
        check(&"x".repeat(63), None, &"x".repeat(63));
        fails(&format!("{}ü", "x".repeat(62)), "42622");
    }
}
