//! Turns the text of a query into a definition view, with errors that point into the text.

use super::statements;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::edge::spi;
use crate::runtime::choices::Choices;
use crate::text::hidden;
use crate::text::names::QualifiedName;
use pg_trickle_core::node::{Node, Tree};

/// PostgreSQL's error for a permanent view over temporary tables, and for a view without columns.
const INVALID_TABLE_DEFINITION: &str = "42P16";

/// A text that is one query.
pub struct Query<'a> {
    text: &'a str,
    /// A temporary table that it names, unless that is the name of a CTE.
    temporary: Option<String>,
}

impl<'a> Query<'a> {
    /// Fails unless the text is one query. `temporaries`: the session has temporary tables.
    pub fn read(text: &'a str, temporaries: bool) -> Result<Self> {
        let parsed = ffi::parse(text).map_err(|error| locate(error, text, 0))?;
        let tree = Tree::parse(&parsed)?;
        let statements: Vec<Node> = tree.root().nodes().unwrap_or_default();
        match statements.as_slice() {
            [] => {
                Err(SqlError::new("42601", "the query of a stream table is empty").hint("Give it a SELECT statement."))
            }
            [statement] if is_query(*statement)? => Ok(Self {
                text,
                temporary: if temporaries {
                    temporary_table(*statement)?
                } else {
                    None
                },
            }),
            [_] => Err(SqlError::new("42601", "the query of a stream table must be a SELECT")
                .hint("SELECT, VALUES, TABLE and WITH .. SELECT make a query; INTO does not.")
                .fragment(&first_words(text))),
            several => Err(SqlError::new(
                "42601",
                format!(
                    "the query of a stream table must be one statement, not {}",
                    several.len()
                ),
            )
            .hint("Make a stream table for each of them.")
            .fragment(&first_words(text))),
        }
    }

    /// Creates the definition view, as the current user. Returns its qualified name.
    pub fn define(&self, schema: &str, id: i32, choices: Choices) -> Result<String> {
        let prefix = statements::define(schema, id);
        spi::users_text(&format!("{prefix}{}", self.text)).map_err(|error| self.refused(error, &prefix))?;
        for statement in statements::hide(schema, id) {
            spi::catalog(&statement, &[])?;
        }
        let definition = hidden::definition(id);
        choices.record(&definition)?;
        Ok(definition)
    }

    fn refused(&self, error: Box<SqlError>, prefix: &str) -> Box<SqlError> {
        match &self.temporary {
            Some(table) if error.sqlstate == INVALID_TABLE_DEFINITION => SqlError::new(
                "0A000",
                format!("a stream table cannot read the temporary table {table}"),
            )
            .hint("Temporary tables go with the session; use a plain or an unlogged table.")
            .fragment(table),
            Some(_) | None => locate(error, self.text, prefix.chars().count()),
        }
    }
}

/// Whether it is a SELECT, VALUES or TABLE, without INTO.
fn is_query(statement: Node) -> Result<bool> {
    let statement = statement.node("stmt")?;
    let into = statement.get("intoClause");
    Ok(statement.label() == "SELECTSTMT" && into.is_none_or(|into| into.is_null()))
}

/// A name in a statement that resolves to a temporary table. The name of a CTE may hide that table.
fn temporary_table(statement: Node) -> Result<Option<String>> {
    let mut nodes = vec![statement];
    while let Some(node) = nodes.pop() {
        if node.label() == "RANGEVAR" {
            let schema = node.string("schemaname")?;
            let name = node.name("relname")?;
            let written = QualifiedName { schema, name }.sql();
            let found = spi::as_user(
                "SELECT 1 FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) \
                 AND relpersistence OPERATOR(pg_catalog.=) 't'",
                &[Some(&written)],
            )?;
            if !found.is_empty() {
                return Ok(Some(written));
            }
        }
        for (_, value) in node.fields() {
            match value.node() {
                Some(child) => nodes.push(child),
                None => nodes.extend(value.items().into_iter().flatten().filter_map(|item| item.node())),
            }
        }
    }
    Ok(None)
}

/// Makes an error of PostgreSQL point into the user's query.
fn locate(mut error: Box<SqlError>, query: &str, prefix: usize) -> Box<SqlError> {
    let position = usize::try_from(error.position).unwrap_or_default();
    // PostgreSQL saw our statement, with our names in it.
    error.context = None;
    error.query = None;
    error.position = 0;
    if error.hint.is_none() && !error.is_of_the_moment() {
        error.hint = Some(advice(&error.sqlstate).to_owned());
    }
    let Some(offset) = position
        .checked_sub(prefix)
        .and_then(|position| position.checked_sub(1))
    else {
        // Only the message has the name: column "x" specified more than once.
        let named = error.message.split('"').nth(1).map(str::to_owned);
        return match named {
            Some(named) if query.contains(&named) => error.fragment(&named),
            Some(_) | None => error,
        };
    };
    if let (Some((start, _)), Ok(position)) = (query.char_indices().nth(offset), i32::try_from(offset + 1)) {
        error.position = position;
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

/// The start of the text at the position of an error, short enough to read at a glance.
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
