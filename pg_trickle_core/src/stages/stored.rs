//! Storage tables and their columns, while a stage is planned.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::types::{collate, type_of};
use crate::facts::value_identity::sameness;
use crate::maintain::storage::{ColumnDdl, Written};
use crate::oids::INT8;
use crate::plan::{self, Oid};
use crate::query::Expr;
use crate::sql::ident::{is_one_of, qualified};

/// A storage table while its stage is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTable {
    /// The OID by which the core knows the table, which may not exist yet.
    pub relid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl StorageTable {
    /// True for the storage of a stage that other stages read.
    pub fn is_inner(&self) -> bool {
        self.relid != plan::stage_relid(0)
    }

    /// The qualified, quoted name.
    pub fn sql(&self) -> String {
        qualified(&self.schema, &self.name)
    }
}

/// A column of a storage table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Its collation.
    pub collation: Oid,
    /// True if it cannot hold a NULL.
    pub not_null: bool,
    /// True if it numbers the rows (an identity column).
    pub numbered: bool,
    /// What fills a generated column ([`ColumnDdl::generated`]).
    pub generated: Option<String>,
}

impl StoredColumn {
    /// A column for the values of an expression.
    pub fn of(name: String, expr: &Expr, catalog: &dyn Catalog) -> Result<Self, Error> {
        Ok(StoredColumn {
            name,
            type_oid: type_of(expr, catalog)?,
            typmod: expr.typmod(),
            collation: expr.collation(),
            not_null: false,
            numbered: false,
            generated: None,
        })
    }

    /// A column that numbers the rows, by which higher stages tell them apart.
    pub fn number() -> Self {
        StoredColumn {
            name: NUMBER.to_owned(),
            type_oid: INT8,
            typmod: -1,
            collation: 0,
            not_null: true,
            numbered: true,
            generated: None,
        }
    }

    /// A column that says in which order the rows were stored, by a sequence of its own. No index finds a row by it.
    pub fn rank(sequence: &str) -> Self {
        StoredColumn {
            name: RANK.to_owned(),
            numbered: false,
            generated: Some(format!("IDENTITY (SEQUENCE NAME {sequence})")),
            ..StoredColumn::number()
        }
    }
}

/// The name under which a query's column is stored: its own, unless it looks like an internal column or is the name of
/// a system column.
pub fn stored_name(name: &str) -> String {
    match name.strip_prefix("__pgt_") {
        Some(rest) => format!("_upgt_{rest}"),
        None if is_one_of(name, "tableoid ctid xmin cmin xmax cmax") => format!("_upgt_{name}"),
        None => name.to_owned(),
    }
}

/// The column that numbers the rows of a stage.
pub const NUMBER: &str = "__pgt_id";
/// The column of [`StoredColumn::rank`].
pub const RANK: &str = "__pgt_rank";

/// The columns of a storage table that are written: all but those that PostgreSQL fills.
pub fn written(stored: &[StoredColumn], catalog: &dyn Catalog) -> Result<Written, Error> {
    let mut written = Written {
        columns: Vec::new(),
        sameness: Vec::new(),
        uncounted: Vec::new(),
    };
    for column in stored
        .iter()
        .filter(|column| !column.numbered && column.generated.is_none())
    {
        written.columns.push(column.name.clone());
        let same = sameness(column.type_oid, column.typmod, column.collation, catalog)?;
        written.sameness.push(same);
    }
    Ok(written)
}

/// The columns of a storage table for its DDL.
pub fn storage_columns(stored: &[StoredColumn], catalog: &dyn Catalog) -> Result<Vec<ColumnDdl>, Error> {
    stored
        .iter()
        .map(|column| {
            Ok(ColumnDdl {
                name: column.name.clone(),
                type_sql: catalog.type_sql(column.type_oid, column.typmod)?,
                collate: collate(column.type_oid, column.collation, catalog)?,
                not_null: column.not_null,
                numbered: column.numbered,
                generated: column.generated.clone(),
            })
        })
        .collect()
}
