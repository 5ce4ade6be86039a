//! From the text of a query to a definition view, with errors that point into the text.

use crate::error::{Result, SqlError};
use crate::ffi;
use crate::spi;
use crate::sql;

/// Fails unless the text is one query.
pub fn check(query: &str) -> Result<()> {
    let statements = ffi::parse(query).map_err(|error| locate(error, query, 0))?;
    match statements {
        Some(1) => Ok(()),
        Some(0) => {
            Err(SqlError::new("42601", "the query of a stream table is empty").hint("Give it a SELECT statement."))
        }
        Some(several) => Err(SqlError::new(
            "42601",
            format!("the query of a stream table must be one statement, not {several}"),
        )
        .hint("Make a stream table for each of them.")
        .fragment(&first_words(query))),
        None => Err(SqlError::new("42601", "the query of a stream table must be a SELECT")
            .hint("SELECT, VALUES, TABLE and WITH .. SELECT make a query; INTO does not.")
            .fragment(&first_words(query))),
    }
}

/// Makes the definition view of a query that [`check`] has passed, as the current user. Returns its qualified name.
pub fn define(schema: &str, id: i32, query: &str) -> Result<String> {
    let prefix = sql::define(schema, id);
    let text = format!("{prefix}{query}");
    let made = spi::users_text(&text);
    made.map_err(|error| locate(error, query, prefix.chars().count()))?;
    for statement in sql::hide(schema, id) {
        spi::catalog(&statement, &[])?;
    }
    let definition = sql::definition_name(id);
    Ok(definition)
}

/// Makes an error of PostgreSQL point into the user's query.
fn locate(mut error: Box<SqlError>, query: &str, prefix: usize) -> Box<SqlError> {
    let position = usize::try_from(error.position).unwrap_or(0);
    // The statement that PostgreSQL saw is ours; so are the names in it.
    error.context = None;
    error.query = None;
    error.position = 0;
    if error.sqlstate == "42P16" && error.message.contains("temporary") {
        return SqlError::new("0A000", "a stream table cannot read a temporary table")
            .hint("Temporary tables go with the session; use a plain or an unlogged table.");
    }
    if error.hint.is_none() {
        error.hint = Some(advice(&error.sqlstate).to_owned());
    }
    let Some(offset) = position
        .checked_sub(prefix)
        .and_then(|position| position.checked_sub(1))
    else {
        // "column "x" specified more than once" has no position.
        let named = error.message.split('"').nth(1).map(str::to_owned);
        return match named {
            Some(named) if query.contains(&named) => error.fragment(&named),
            Some(_) | None => error,
        };
    };
    if let Some((start, _)) = query.char_indices().nth(offset) {
        error.position = i32::try_from(offset + 1).unwrap_or(0);
        error.query = Some(query.to_owned());
        return error.fragment(piece(&query[start..]));
    }
    error
}

fn advice(sqlstate: &str) -> &'static str {
    match sqlstate {
        "42P01" => "Create the table first, or write its name with its schema.",
        "42601" => "The query must be one SELECT statement that PostgreSQL itself accepts.",
        "42701" => "Give each column of the query a name of its own: SELECT a.id AS a_id, b.id AS b_id.",
        "42703" => "Check the column's name; a name with capitals needs double quotes.",
        "42P02" => "A stream table has no parameters; write the value into the query.",
        "42704" => "Check the name, and that its schema is in search_path.",
        "42803" => "Add the column to GROUP BY, or use it in an aggregate.",
        "42883" => "Check the name and the argument types; a cast may be missing.",
        "42501" => "The owner of a stream table must be allowed to read what its query reads.",
        "3F000" => "Create the schema first.",
        _ => "The query must be one that PostgreSQL accepts in CREATE VIEW.",
    }
}

/// How much of a query an error shows.
const FRAGMENT: usize = 60;

/// The text from the place of an error on, as far as one reads it at a glance.
fn piece(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let Some((end, _)) = line.char_indices().nth(FRAGMENT) else {
        return line.trim_end();
    };
    let end = line[..end].rfind(char::is_whitespace).unwrap_or(end);
    line[..end].trim_end()
}

fn first_words(query: &str) -> String {
    query.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn the_fragment_is_short_and_whole() {
        assert_eq!(piece("nowhere WHERE x\n AND y"), "nowhere WHERE x");
        assert_eq!(piece(""), "");
        assert_eq!(piece(&"ab ".repeat(30)).len(), 59);
        assert_eq!(piece(&"ü".repeat(90)), "ü".repeat(60));
    }
}
