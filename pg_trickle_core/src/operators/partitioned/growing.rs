//! Aggregates that grow at their end: `string_agg`, `array_agg`, `jsonb_agg` and `json_agg` with ORDER BY.
//!
//! Rule: where all changed rows of a group are new and come after the stored last one in the order of each aggregate, their
//! own result is appended to the stored one. Other groups are computed again. Cost: the change, and the length of the
//! result, which PostgreSQL writes anew.
//!
//! State: the last value of the order, or the first one if that is descending. Source: our own reasoning.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::types::type_of;
use crate::maintain::key::KeyColumn;
use crate::maintain::rekey::{Rekey, TouchedKeys, key_column};
use crate::maintain::stage::{Maintenance, Reach};
use crate::oids::{BOOL, INT2, INT4, INT8, NUMERIC, UUID};
use crate::operators::linear::block::Part;
use crate::operators::linear::touched::KeysOfBlocks;
use crate::plan::{Change, Program, Source, Way};
use crate::query::{Aggref, Expr, Query, SortGroup, SqlLeaf, Target, Var, attno};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{and, column, op};
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;
use crate::stages::order_index::is_descending;
use crate::stages::restricted::{Restricted, for_rows, row_key};

/// The CTE of the keys of the new rows.
const ROWS: &str = "__pgt_rows";

/// The maintenance of groups that grow at their end.
pub struct Growing {
    /// The maintenance by whole groups.
    whole: Rekey,
    /// Finds the new rows by their key.
    rows: KeysOfBlocks,
    /// The stored columns over the new rows alone, and what comes first in each order.
    grouped: String,
    /// The stored columns after rows were appended.
    set: Vec<String>,
    /// The conditions that the new rows `g` of a group come after its stored ones, `s`.
    after: Vec<String>,
}

impl Maintenance for Growing {
    fn way(&self) -> Way {
        Way::Rekey
    }

    fn program(&self, changes: &[Change]) -> Program {
        let whole = self.whole.program(changes);
        if changes.iter().any(|change| change.old || change.repeated) {
            return whole;
        }
        let rows = self.rows.selects(changes);
        let (Program::Run(mut statements), [rows]) = (whole, rows.as_slice()) else {
            return self.whole.program(changes);
        };
        let (mut same, mut keys, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for (n, key) in self.whole.key.iter().enumerate() {
            let own = column("g", &key.name);
            same.push(format!("({} {} {own})", column("s", &key.name), key.equals));
            keys.push(column("s", &key.name));
            given.push(format!("{own} AS {}", key_column(n)));
        }
        let same = and(&same);
        let few = self.whole.of_keys(&format!(
            "SELECT {} FROM __pgt_groups AS g WHERE NOT EXISTS (SELECT FROM __pgt_appended AS s WHERE {same})",
            given.join(", ")
        ));
        let with = format!(
            "WITH {ROWS} AS MATERIALIZED ({rows}), __pgt_groups AS MATERIALIZED ({}), \
             __pgt_appended AS (UPDATE {} AS s SET {} FROM __pgt_groups AS g WHERE {same} AND {} RETURNING {}), ",
            self.grouped,
            self.whole.table,
            self.set.join(", "),
            and(&self.after),
            keys.join(", "),
        );
        for statement in &mut statements {
            statement.sql = few.sql.replacen("WITH ", &with, 1);
        }
        Program::Run(statements)
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "the touched keys; new rows at the end are appended"
    }

    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        self.whole.reach(changes)
    }

    fn needs_fresh_plans(&self, advised: bool, changes: &[Change]) -> bool {
        self.whole.needs_fresh_plans(advised, changes)
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        self.whole.row_key()
    }

    fn runs_as_update(&self, change: &Change) -> bool {
        change.old
    }
}

/// What a group that grows at its end keeps.
pub struct Ends {
    /// The first column of each order, the aggregate that keeps its end, and whether it is descending.
    ends: Vec<(Expr, Expr, bool)>,
}

impl Ends {
    /// Those of a query that groups by `keys`, if all its aggregates can be continued, and some have an order.
    pub fn of(query: &Query, keys: &[Expr], graph: &StageGraph) -> Result<Option<Self>, Fallback> {
        if query.having.is_some() || keys.is_empty() || !query.distinct.is_empty() {
            return Ok(None);
        }
        let mut found = Ends { ends: Vec::new() };
        for target in &query.targets {
            if keys.contains(&target.expr) {
                continue;
            }
            let Expr::Aggref(call) = &target.expr else {
                return Ok(None);
            };
            if continued(call, "", "", graph)?.is_none() {
                return Ok(None);
            }
            if let Some(first) = call.order.first() {
                let Some(end) = end(call, first, graph)? else {
                    return Ok(None);
                };
                if !found.ends.contains(&end) {
                    found.ends.push(end);
                }
            }
        }
        Ok((!found.ends.is_empty()).then_some(found))
    }

    /// The columns that the orders begin with.
    pub fn columns(&self) -> impl Iterator<Item = &Expr> {
        self.ends.iter().map(|(column, ..)| column)
    }

    /// What has to be stored beside what the query selects.
    pub fn kept(&self) -> impl Iterator<Item = &Expr> {
        self.ends.iter().map(|(_, end, _)| end)
    }

    /// The maintenance, if new rows can be told to come last; else that by `whole` groups. `block` has the key of the rows
    /// as its values.
    pub fn maintenance(
        &self,
        whole: Rekey,
        restricted: &Restricted,
        own: &[Expr],
        rows: Part,
        graph: &StageGraph,
    ) -> Result<Growing, Fallback> {
        let mut grouped = restricted.query.clone();
        let (mut set, mut after) = (Vec::new(), Vec::new());
        for (target, name) in restricted.query.visible_targets().zip(&whole.row.columns) {
            let (stored, added) = (column("s", name), column("g", name));
            let value = match &target.expr {
                Expr::Aggref(call) => continued(call, &stored, &added, graph)?,
                _ => None,
            };
            if let Some(value) = value {
                set.push(format!("{} = {value}", quote_ident(name)));
            }
            let Some((first, _, descending)) = self.ends.iter().find(|(_, end, _)| *end == target.expr) else {
                continue;
            };
            set.push(format!("{} = {added}", quote_ident(name)));
            let begins = format!("__pgt_b{}", after.len() + 1);
            let (begin, sides) = (
                column("g", &begins),
                if *descending { ("max", ">") } else { ("min", "<") },
            );
            grouped.targets.push(Target {
                expr: extreme(sides.0, first),
                name: Some(begins),
                resno: attno(grouped.targets.len())?,
                ressortgroupref: 0,
                junk: false,
            });
            after.push(op(&stored, sides.1, &begin));
        }
        let mut key = Vec::new();
        for own in own {
            key.push(row_key("", own, graph)?);
        }
        Ok(Growing {
            grouped: for_rows(ROWS, &grouped, own, &key, graph)?.concat(),
            rows: KeysOfBlocks(vec![rows]),
            set,
            after,
            whole,
        })
    }
}

/// The smallest or the largest value of a column.
fn extreme(function: &str, column: &Expr) -> Expr {
    Expr::Sql(SqlLeaf {
        parts: vec![format!("pg_catalog.{function}("), ")".to_owned()],
        args: vec![column.clone()],
        type_oid: column.type_oid(),
        typmod: -1,
        collation: 0,
    })
}

/// The end of an order that begins with a plain column.
fn end(call: &Aggref, first: &SortGroup, graph: &StageGraph) -> Result<Option<(Expr, Expr, bool)>, Fallback> {
    let by = call.args.iter().find(|arg| arg.ressortgroupref == first.target_ref);
    let Some(expr @ Expr::Var(_)) = by.map(|arg| &arg.expr) else {
        return Ok(None);
    };
    let type_oid = expr.type_oid();
    if !is_small(type_oid) || [BOOL, UUID].contains(&type_oid) {
        return Ok(None);
    }
    let descending = is_descending(first, type_oid, graph)?;
    Ok(descending.map(|descending| {
        let last = if descending { "min" } else { "max" };
        (expr.clone(), extreme(last, expr), descending)
    }))
}

/// The result of a call over some rows and further ones, from those over either. None if it does not follow from them.
fn continued(call: &Aggref, stored: &str, added: &str, graph: &StageGraph) -> Result<Option<String>, Fallback> {
    let function = graph.function(call.function)?;
    if function.schema != "pg_catalog"
        || call.kind != 'n'
        || call.variadic
        || !call.distinct.is_empty()
        || call.levels_up > 0
    {
        return Ok(None);
    }
    let name = function.name.as_str();
    let either = |both: &str| format!("coalesce({both}, {stored}, {added})");
    if call.order.is_empty() {
        let is_exact = function
            .arg_types
            .iter()
            .all(|of| [INT2, INT4, INT8, NUMERIC].contains(of));
        return Ok(match name {
            "count" => Some(op(stored, "+", added)),
            "min" => Some(format!("LEAST({stored}, {added})")),
            "max" => Some(format!("GREATEST({stored}, {added})")),
            "sum" if is_exact => Some(either(&op(stored, "+", added))),
            _ => None,
        });
    }
    let argument = match call.args.first() {
        Some(argument) => type_of(&argument.expr, graph)?,
        None => return Ok(None),
    };
    let of = graph.type_(argument)?;
    Ok(match (name, call.args.get(1).map(|arg| &arg.expr)) {
        ("string_agg", Some(between @ Expr::Const(constant))) if !constant.is_null => {
            let no_column = |var: &Var| Err(Error::Tree(format!("Var {} outside a query", var.varno)));
            let between = crate::sql::expr::print(between, &no_column, graph)?;
            Some(either(&op(&op(stored, "||", &between), "||", added)))
        }
        ("array_agg", _) if of.element == 0 => Some(either(&format!("pg_catalog.array_cat({stored}, {added})"))),
        ("jsonb_agg" | "jsonb_agg_strict", _) => Some(either(&op(stored, "||", added))),
        // Rows and arrays begin on a new line.
        ("json_agg" | "json_agg_strict", _) if of.element == 0 && matches!(of.kind, 'b' | 'e') => {
            let begin = format!("pg_catalog.left({stored}::pg_catalog.text, -1)");
            let rest = format!("pg_catalog.substr({added}::pg_catalog.text, 2)");
            let both = op(&op(&begin, "||", "', '"), "||", &rest);
            Some(either(&format!("{both}::pg_catalog.json")))
        }
        _ => None,
    })
}
