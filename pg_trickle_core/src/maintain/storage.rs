//! The DDL of storage tables.

use crate::sql::ident::quote_ident;
use crate::sql::statement::names;

/// A column of a storage table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDdl {
    /// Its name, unquoted.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// ` COLLATE ...`, or nothing.
    pub collate: String,
    /// No NULL can occur.
    pub not_null: bool,
    /// Each row gets a number by itself.
    pub numbered: bool,
    /// The expression of a generated column.
    pub generated: Option<String>,
}

/// How the rows of a storage table are found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By a unique key; NULLs in it are equal to each other.
    Key(Vec<String>),
    /// By this column, a hash of the row (and then the row itself).
    Hash(String),
    /// There is one row.
    Single,
    /// Nothing looks for a row.
    None,
}

/// `CREATE TABLE` and its indexes; `indexes` are columns in parentheses, with `USING ...` before. PostgreSQL names the indexes.
#[must_use]
pub fn create(table: &str, columns: &[ColumnDdl], identity: &Identity, indexes: &[String]) -> Vec<String> {
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
            if let Some(expression) = &column.generated {
                part.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
            }
            part
        })
        .collect();
    if let Identity::Key(key) = identity {
        parts.push(format!("UNIQUE NULLS NOT DISTINCT ({})", names(key)));
    }
    let mut ddl = vec![format!("CREATE TABLE {table} ({})", parts.join(", "))];
    if let Identity::Hash(column) = identity {
        ddl.push(format!("CREATE INDEX ON {table} ({})", quote_ident(column)));
    }
    for columns in indexes {
        ddl.push(format!("CREATE INDEX ON {table} {columns}"));
    }
    ddl
}
