//! The clock of a stream table: a stage of one row, with the moment as of which the stream table is right. The row
//! holds what each expression of the clock is at this moment, and what it was at the moment before.
//!
//! All stages of a stream table read this row in place of the clock. Maintenance moves it to the present first. If that
//! crosses values that a stage has stored, the move is a change for this stage.

use super::stored::{StorageTable, StoredColumn, storage_columns};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::maintain::crossing::Crossing;
use crate::maintain::full_refresh::Contents;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::{Maintenance, Stage};
use crate::maintain::storage::{self, Identity};
use crate::oids::{C_COLLATION, TEXT, TIMESTAMPTZ};
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::query::{Expr, SqlLeaf, Var};
use crate::sql::statement::{column, image, op, or};

/// The column with the moment.
pub const MOMENT: &str = "__pgt_now";

/// The column with the time zone in which the expressions of the clock were evaluated.
pub const ZONE: &str = "__pgt_zone";

/// The column with what an expression of the clock is at the moment.
pub fn bound(n: usize) -> String {
    format!("__pgt_v{}", n + 1)
}

/// The column with what it was at the moment before.
pub fn bound_before(n: usize) -> String {
    format!("__pgt_p{}", n + 1)
}

/// The clock while its stream table is planned.
#[derive(Clone)]
pub struct Clock {
    /// Its storage.
    pub storage: StorageTable,
    /// The expressions.
    pub exprs: Vec<Expr>,
}

impl Clock {
    /// Its columns.
    pub fn columns(&self, catalog: &dyn Catalog) -> Result<Vec<StoredColumn>, Error> {
        let now = SqlLeaf::text(String::new(), TIMESTAMPTZ, -1, 0);
        let zone = SqlLeaf::text(String::new(), TEXT, -1, C_COLLATION);
        let mut columns = vec![
            StoredColumn::of(MOMENT.to_owned(), &now, catalog)?,
            StoredColumn::of(ZONE.to_owned(), &zone, catalog)?,
        ];
        for (n, expr) in self.exprs.iter().enumerate() {
            columns.push(StoredColumn::of(bound(n), expr, catalog)?);
            columns.push(StoredColumn::of(bound_before(n), expr, catalog)?);
        }
        Ok(columns)
    }

    /// A value of the row, as SQL: `value` is over the row as `c`.
    pub fn sql(&self, value: &str) -> String {
        format!("(SELECT {value} FROM {} AS c)", self.storage.sql())
    }

    /// The stage. `crossings` are what the stages above compare with it.
    pub fn stage(&self, crossings: &[Crossing], catalog: &dyn Catalog) -> Result<Stage, Error> {
        let table = self.storage.sql();
        let mut labels = Vec::new();
        let now = "pg_catalog.now()";
        let zone = "pg_catalog.current_setting('TimeZone')";
        let mut values = vec![now.to_owned(), zone.to_owned()];
        let mut set = vec![format!("{MOMENT} = {now}"), format!("{ZONE} = {zone}")];
        let mut present = Vec::new();
        for (n, expr) in self.exprs.iter().enumerate() {
            let (is, was) = (bound(n), bound_before(n));
            let no_column = |_: &Var| Err(Error::Tree("a column in the clock".to_owned()));
            let sql = crate::sql::expr::print(expr, &no_column, catalog)?;
            labels.push(format!("{is} = {sql}"));
            values.extend([sql.clone(), sql.clone()]);
            set.push(format!("{was} = c.{is}"));
            set.push(format!("{is} = n.{is}"));
            present.push(format!("{sql} AS {is}"));
        }
        let bounds: Vec<String> = (0..self.exprs.len()).map(bound).collect();
        let is_past = if bounds.is_empty() {
            op(&column("c", MOMENT), "<>", now)
        } else {
            op(&image("c", &bounds), "<>", &image("n", &bounds))
        };
        let present = format!("(SELECT {}) AS n", present.join(", "));
        let asked = answer(crossings, &|n| column("c", &bound(n)), &|n| column("n", &bound(n)));
        let told = answer(crossings, &|n| column("c", &bound_before(n)), &|n| {
            column("c", &bound(n))
        });
        let advance = format!(
            "UPDATE {table} AS c SET {} FROM {present} WHERE {is_past} RETURNING {told}",
            set.join(", ")
        );
        let ddl = storage::create(
            &table,
            &storage_columns(&self.columns(catalog)?, catalog)?,
            &Identity::Single,
            &[],
            false,
        );
        let fill = format!("INSERT INTO {table} SELECT {}", values.join(", "));
        let label = format!("clock {}", labels.join(", "));
        Ok(Stage {
            may_raise: false,
            is_only: false,
            relid: self.storage.relid,
            storage: table.clone(),
            way: Way::Fold,
            reason: None,
            layout: ddl.join(";"),
            ddl,
            contents: Contents::Single(fill),
            sources: Vec::new(),
            key: Vec::new(),
            advice: Vec::new(),
            operators: OperatorTree::new(label.trim().to_owned(), Vec::new()).lines(),
            crossings: Vec::new(),
            due: Some(statement(
                format!("SELECT {asked} FROM {table} AS c, {present} WHERE {is_past}"),
                Returns::Answer,
            )),
            maintenance: Box::new(Advance(statement(advance, Returns::Answer))),
        })
    }
}

/// What a move of the clock does, given what each bound was and what it is: 2 if a bound has moved back under rows that
/// are not stored any more, 1 if it has crossed stored rows, 0 if it has not.
fn answer(crossings: &[Crossing], was: &dyn Fn(usize) -> String, is: &dyn Fn(usize) -> String) -> String {
    let mut back: Vec<String> = Vec::new();
    let mut crossed: Vec<String> = Vec::new();
    for crossing in crossings {
        let (was, is) = (was(crossing.bound), is(crossing.bound));
        let is_crossed = crossing.is_crossed(&was, &is);
        if !crossed.contains(&is_crossed) {
            crossed.push(is_crossed);
        }
        let is_back = op(&is, "<", &was);
        if crossing.drops && !back.contains(&is_back) {
            back.push(is_back);
        }
    }
    if crossings.is_empty() {
        // A query that reads the clock in another way.
        return "1::pg_catalog.int8".to_owned();
    }
    format!(
        "CASE WHEN {} THEN 2 WHEN {} THEN 1 ELSE 0 END::pg_catalog.int8",
        or(&back),
        or(&crossed)
    )
}

fn statement(sql: String, returns: Returns) -> Statement {
    Statement {
        sql,
        bulk: None,
        returns,
    }
}

/// Moves the clock to the present, if that changes what it shows.
struct Advance(Statement);

impl Maintenance for Advance {
    fn way(&self) -> Way {
        Way::Fold
    }

    fn program(&self, _changes: &[Change]) -> Program {
        Program::Run(vec![self.0.clone()])
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "one row"
    }
}
