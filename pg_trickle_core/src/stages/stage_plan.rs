//! A planned stage, and the [`Stage`] it becomes.

use super::graph::StageGraph;
use super::stored::{StorageTable, StoredColumn, storage_columns};
use super::{advice, indexes};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::types::has_arrays;
use crate::facts::{raising, sources};
use crate::maintain::crossing::Crossing;
use crate::maintain::full_refresh::Contents;
use crate::maintain::key::KeyColumn;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::{Maintenance, Stage};
use crate::maintain::storage::{self, Identity, Written};
use crate::plan::Way;
use crate::query::Query;
use crate::sql::expr::operator_sql;

/// The most columns an index can have (`INDEX_MAX_KEYS` in pg_config_manual.h).
pub const MAX_INDEX_COLUMNS: usize = 32;

/// An operator's plan for its stage.
pub struct StagePlan {
    /// The columns of the storage table.
    pub stored: Vec<StoredColumn>,
    /// Further indexes: column lists in parentheses, after `USING ...` if not a B-tree.
    pub indexes: Vec<String>,
    /// The result of the query, read from the storage.
    pub view: Query,
    /// The stored columns that are written, in the order of `rows`.
    pub written: Written,
    /// How a stored row is identified.
    pub identity: Identity,
    /// Stored columns that identify a row; empty if rows can repeat.
    pub key: Vec<String>,
    /// The query that computes the stored rows from scratch.
    pub rows: String,
    /// The query whose sources this stage follows.
    pub reads: Query,
    /// Columns by which changes look up rows.
    pub looked_up: Vec<advice::Column>,
    /// Advice on other indexes, as sentences.
    pub advice: Vec<String>,
    /// The operators, for `explain`.
    pub operators: Option<OperatorTree>,
    /// What is compared with the clock ([`Stage::crossings`]).
    pub crossings: Vec<Crossing>,
    /// How changes are applied.
    pub maintenance: Box<dyn Maintenance>,
}

impl StagePlan {
    /// The plan, provided that its key fits into an index.
    pub fn indexable(self) -> Result<Self, Fallback> {
        match &self.identity {
            Identity::Key(key) if key.len() > MAX_INDEX_COLUMNS => reason("key of more than 32 columns"),
            _ => Ok(self),
        }
    }

    /// The columns by which a full refresh pairs rows.
    fn pairing(&self, graph: &StageGraph) -> Result<Option<Vec<KeyColumn>>, Error> {
        let key = match &self.identity {
            Identity::Key(key) => key.as_slice(),
            Identity::Single => &[],
            Identity::Hash(_) | Identity::None => return Ok(self.maintenance.row_key().map(<[KeyColumn]>::to_vec)),
        };
        let columns = self.stored.iter().filter(|column| key.contains(&column.name));
        let key_column = |column: &StoredColumn| {
            let Some(default) = graph.default_equality(column.type_oid)? else {
                return Err(Error::Tree(format!("key column {} without equality", column.name)));
            };
            Ok(KeyColumn {
                name: column.name.clone(),
                equals: operator_sql(&default.equality),
                nullable: !column.not_null,
                ordered: default.less.is_some(),
                wrapped: has_arrays(column.type_oid, graph)?,
            })
        };
        columns.map(key_column).collect::<Result<_, Error>>().map(Some)
    }

    /// The stage, and a query that reads its storage. `why` says why no better way of maintenance is possible.
    pub fn into_stage(
        self,
        why: Option<String>,
        storage: &StorageTable,
        graph: &StageGraph,
    ) -> Result<(Stage, Query), Error> {
        let mut sources = sources::sources(&self.reads, graph)?;
        // A recursive CTE reads itself.
        sources.retain(|source| source.relid != storage.relid);
        let way = self.maintenance.way();
        if way != Way::Rebuild {
            indexes::add(&self.reads, &self.looked_up, graph)?;
        }
        let key = self.pairing(graph)?;
        let mut advice = self.advice;
        advice.extend(advice::indexes(&self.reads, &self.looked_up, graph)?);
        let table = storage.sql();
        let columns = storage_columns(&self.stored, graph)?;
        let rewrites_most = self.maintenance.rewrites_most();
        let ddl = storage::create(&table, &columns, &self.identity, &self.indexes, rewrites_most);
        for source in &mut sources {
            // The stored rows hold the keys of the sources, even if the query does not select them.
            let relation = graph.relation(source.relid)?;
            for attnum in relation.keys.first().into_iter().flat_map(|key| &key.columns) {
                if !source.columns.contains(attnum) {
                    source.columns.push(*attnum);
                }
            }
        }
        let query = graph.rows(storage, self.rows, &self.written.target());
        let stage = Stage {
            may_raise: raising::may_raise(&self.reads, graph)?,
            is_only: false,
            relid: storage.relid,
            way,
            reason: why,
            layout: ddl.join(";"),
            ddl,
            contents: Contents::Query {
                query,
                row: self.written,
                key,
            },
            storage: table,
            sources,
            key: self.key,
            advice,
            operators: self.operators.map(|tree| tree.lines()).unwrap_or_default(),
            crossings: self.crossings,
            due: None,
            maintenance: self.maintenance,
        };
        Ok((stage, self.view))
    }
}
