//! The DDL of storage tables.

use crate::facts::value_identity::Sameness;
use crate::sql::ident::quote_ident;
use crate::sql::statement::{column, image, names};

/// A column of a storage table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDdl {
    /// Its name, unquoted.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// ` COLLATE ...`, or nothing.
    pub collate: String,
    /// True if it cannot hold a NULL.
    pub not_null: bool,
    /// True if it numbers the rows (an identity column).
    pub numbered: bool,
    /// What fills a generated column: `(expression) STORED`, or `IDENTITY`.
    pub generated: Option<String>,
}

/// The columns of a storage table that are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Their names, in order.
    pub columns: Vec<String>,
    /// For each of them, when two of its values are the same.
    pub sameness: Vec<Sameness>,
    /// Those that only say where maintenance goes on from: a row in which nothing else differs does not count as changed.
    pub uncounted: Vec<String>,
}

impl Written {
    /// Columns whose types are not known.
    #[must_use]
    pub fn by_image(columns: &[String]) -> Self {
        Written {
            columns: columns.to_vec(),
            sameness: vec![Sameness::Image; columns.len()],
            uncounted: Vec::new(),
        }
    }

    /// The columns after the name of a table that is inserted into.
    #[must_use]
    pub fn target(&self) -> String {
        if self.columns.is_empty() {
            return String::new();
        }
        format!(" ({})", names(&self.columns))
    }

    /// What to group rows by, so that those in a group have the same bytes: the columns, as far as their equality says
    /// so, and one image of all others.
    #[must_use]
    pub fn identity(&self, alias: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let mut others = Vec::new();
        for (name, sameness) in self.columns.iter().zip(&self.sameness) {
            let value = column(alias, name);
            match sameness {
                Sameness::Equal => parts.push(value),
                Sameness::EqualAndScale => parts.extend([format!("pg_catalog.scale({value})"), value]),
                Sameness::Image => others.push(name.clone()),
            }
        }
        if !others.is_empty() {
            parts.push(image(alias, &others));
        }
        parts
    }

    /// The select list over rows that are grouped in this way, with the names of the columns.
    #[must_use]
    pub fn shown(&self, alias: &str) -> Vec<String> {
        let shown = |(name, sameness): (&String, &Sameness)| {
            let value = column(alias, name);
            match sameness {
                Sameness::Equal | Sameness::EqualAndScale => value,
                Sameness::Image => format!("pg_catalog.any_value({value}) AS {}", quote_ident(name)),
            }
        };
        self.columns.iter().zip(&self.sameness).map(shown).collect()
    }
}

/// How stored rows are identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By a unique key, in which NULLs are equal to each other.
    Key(Vec<String>),
    /// By this column, a hash of the row, and then by the row itself.
    Hash(String),
    /// There is only one row.
    Single,
    /// Rows are never looked up.
    None,
}

/// `CREATE TABLE` and its indexes. `indexes` are column lists in parentheses, with `USING ...` in front if need be.
/// PostgreSQL names the indexes.
///
/// If changes rewrite `most` rows, half of each page stays free: a row that is updated on its own page has no new entries in
/// the indexes, which takes most of the time. The table would grow to this size with the first such change anyway.
#[must_use]
pub fn create(table: &str, columns: &[ColumnDdl], identity: &Identity, indexes: &[String], most: bool) -> Vec<String> {
    let mut parts: Vec<String> = columns
        .iter()
        .map(|column| {
            let mut part = format!("{} {}{}", quote_ident(&column.name), column.type_sql, column.collate);
            if column.not_null {
                part.push_str(" NOT NULL");
            }
            if column.numbered {
                part.push_str(" GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
            }
            if let Some(filled) = &column.generated {
                part.push_str(&format!(" GENERATED ALWAYS AS {filled}"));
            }
            part
        })
        .collect();
    if let Identity::Key(key) = identity {
        parts.push(format!("UNIQUE NULLS NOT DISTINCT ({})", names(key)));
    }
    let room = if most { " WITH (fillfactor = 50)" } else { "" };
    let mut ddl = vec![format!("CREATE TABLE {table} ({}){room}", parts.join(", "))];
    if let Identity::Hash(column) = identity {
        ddl.push(format!("CREATE INDEX ON {table} ({})", quote_ident(column)));
    }
    for columns in indexes {
        ddl.push(format!("CREATE INDEX ON {table} {columns}"));
    }
    ddl
}
