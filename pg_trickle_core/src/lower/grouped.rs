//! A query with GROUP BY, aggregates or HAVING, as groups over a linear block.

use super::columns::{column_type, equal_is_same, is_pseudo};
use super::linear::{Flat, Resolver};
use super::scans::{block, check, nullable, print};
use super::states::{States, Value};
use super::stop::{Stop, reason};
use super::{Lowered, order};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::aggregate::{Aggregate, Key};
use crate::op::having::{Having, Visible};
use crate::plan::OutputColumn;
use crate::query::{Expr, Query, SqlLeaf, Target};
use crate::sql::ident::quote_ident;
use crate::stage::group::Group;
use crate::stage::rebuild::Compared;
use crate::stage::storage::{self, Identity, StorageColumn};
use crate::stage::{Fold, Into};

/// Lowers a query that groups.
pub fn lower(query: &Query, table: &str, catalog: &dyn Catalog) -> Result<Lowered, Stop> {
    if query.has_target_srfs {
        return reason("set-returning function in the select list of a grouped query");
    }
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, catalog)?;
    let targets = resolver.targets()?;
    let having = query
        .having
        .as_ref()
        .map(|having| resolver.resolve(having))
        .transpose()?;
    let (block, tree) = block(&flat, catalog)?;
    let mut grouping = Grouping::new(&flat, catalog);
    for group in &query.group {
        let target = targets.iter().find(|target| target.ressortgroupref == group.target_ref);
        let Some(target) = target else {
            return reason("GROUP BY without a target");
        };
        grouping.add_key(&target.expr)?;
    }
    for expr in targets
        .iter()
        .filter(|target| !is_key_only(target, query))
        .map(|target| &target.expr)
        .chain(&having)
    {
        grouping.states.add_calls(expr)?;
        grouping.add_dependent_keys(expr)?;
    }
    grouping.name(&targets);
    let outputs = visible(&grouping, &targets, catalog)?;
    let condition = having.map(|having| grouping.over_storage(&having)).transpose()?;
    let view = view(
        query,
        table,
        &grouping,
        &targets,
        &outputs,
        condition.as_deref(),
        catalog,
    )?;
    let keys: Vec<Key> = grouping.keys.iter().map(|(_, key)| key.clone()).collect();
    let aggregate = Aggregate {
        input: Box::new(tree),
        keys,
        arguments: grouping.states.arguments,
        states: grouping.states.states,
    };
    let group = Group {
        table: table.to_owned(),
        aggregate: aggregate.clone(),
    };
    let key_names: Vec<String> = aggregate.keys.iter().map(|key| key.name.clone()).collect();
    let identity = if key_names.is_empty() {
        Identity::Single
    } else {
        Identity::Key(key_names.clone())
    };
    let tree = Op::Having(Having {
        input: Box::new(Op::Aggregate(aggregate)),
        condition,
        outputs: outputs.clone(),
    });
    Ok(Lowered {
        columns: outputs
            .iter()
            .map(|output| OutputColumn {
                name: output.name.clone(),
                type_sql: output.type_sql.clone(),
            })
            .collect(),
        ddl: storage::create(table, &storage_columns(&group), &identity),
        view,
        compared: group
            .column_names()
            .into_iter()
            .map(|name| Compared { name, by_text: false })
            .collect(),
        identity,
        key: key_names,
        query: group.query(&block),
        constraints: query.constraint_deps.clone(),
        fold: Some(Fold {
            tree,
            block,
            into: Into::Group(group),
        }),
    })
}

/// A junk target that only GROUP BY refers to.
fn is_key_only(target: &Target, query: &Query) -> bool {
    target.junk && !query.sort.iter().any(|sort| sort.target_ref == target.ressortgroupref)
}

/// Keys and states while they are put together.
struct Grouping<'a> {
    flat: &'a Flat,
    catalog: &'a dyn Catalog,
    keys: Vec<(Expr, Key)>,
    states: States<'a>,
}

impl<'a> Grouping<'a> {
    fn new(flat: &'a Flat, catalog: &'a dyn Catalog) -> Self {
        Grouping {
            flat,
            catalog,
            keys: Vec::new(),
            states: States::new(flat, catalog),
        }
    }

    fn add_key(&mut self, expr: &Expr) -> Result<(), Stop> {
        if self.keys.iter().any(|(known, _)| known == expr) {
            return Ok(());
        }
        check(self.flat, expr, self.catalog)?;
        let type_oid = expr.type_oid();
        let shown = || self.catalog.type_sql(type_oid, expr.typmod());
        if is_pseudo(type_oid, self.catalog)? {
            return reason("grouping by a row");
        }
        let ordered = self.catalog.default_equality(type_oid)?;
        let Some(default) = ordered.filter(|default| default.less.is_some()) else {
            return reason(&format!("grouping by type {}, which has no order", shown()?));
        };
        if !equal_is_same(expr, self.catalog)? {
            return reason(&format!(
                "grouping by type {}, whose equal values can look different",
                shown()?
            ));
        }
        let (type_sql, collate) = column_type(expr, self.catalog)?;
        let key = Key {
            sql: print(self.flat, expr, self.catalog)?,
            name: String::new(),
            type_sql,
            collate,
            equals: crate::sql::expr::operator_sql(&default.equality),
            nullable: nullable(self.flat, expr)?,
            hidden: true,
        };
        self.keys.push((expr.clone(), key));
        Ok(())
    }

    /// Columns that may stand outside of GROUP BY because a grouped primary key determines them: keys too.
    fn add_dependent_keys(&mut self, expr: &Expr) -> Result<(), Stop> {
        let mut found = Vec::new();
        let _ = expr.transform(&mut |node| {
            if self.keys.iter().any(|(key, _)| key == node) || matches!(node, Expr::Aggref(_)) {
                return Some(node.clone());
            }
            if matches!(node, Expr::Var(_)) {
                found.push(node.clone());
            }
            None
        });
        for var in found {
            self.add_key(&var)?;
        }
        Ok(())
    }

    /// Gives the visible name to a key or state that is a target as it stands, and hidden names to the others.
    fn name(&mut self, targets: &[Target]) {
        for target in targets.iter().filter(|target| !target.junk) {
            let Some(name) = &target.name else { continue };
            if let Some((_, key)) = self.keys.iter_mut().find(|(expr, _)| *expr == target.expr) {
                if key.name.is_empty() {
                    key.name.clone_from(name);
                    key.hidden = false;
                }
            } else if let Expr::Aggref(call) = &target.expr
                && let Some(Value::State(state)) = self.states.value(call)
            {
                let state = &mut self.states.states[state];
                if state.name.is_empty() {
                    state.name.clone_from(name);
                    state.hidden = false;
                }
            }
        }
        for (n, (_, key)) in self.keys.iter_mut().enumerate() {
            if key.name.is_empty() {
                key.name = format!("__pgt_k{}", n + 1);
            }
        }
        for (n, state) in self.states.states.iter_mut().enumerate() {
            if state.name.is_empty() {
                state.name = format!("__pgt_s{n}");
            }
        }
    }

    /// The SQL of a resolved expression over the storage's columns.
    fn over_storage(&self, expr: &Expr) -> Result<String, Error> {
        let leaf = |sql: String, node: &Expr| {
            Some(Expr::Sql(SqlLeaf {
                sql,
                type_oid: node.type_oid(),
                typmod: node.typmod(),
                collation: node.collation(),
            }))
        };
        let replaced = expr.transform(&mut |node| {
            if let Some((_, key)) = self.keys.iter().find(|(known, _)| known == node) {
                return leaf(quote_ident(&key.name), node);
            }
            match node {
                Expr::Aggref(call) => {
                    let value = self.states.value(call)?;
                    leaf(self.states.sql(value), node)
                }
                _ => None,
            }
        });
        crate::sql::expr::print(
            &replaced,
            &|var| {
                Err(Error::Tree(format!(
                    "column {} is neither grouped nor aggregated",
                    var.attno
                )))
            },
            self.catalog,
        )
    }
}

fn visible(grouping: &Grouping, targets: &[Target], catalog: &dyn Catalog) -> Result<Vec<Visible>, Error> {
    targets
        .iter()
        .filter(|target| !target.junk)
        .map(|target| {
            Ok(Visible {
                name: target.name.clone().unwrap_or_default(),
                type_sql: column_type(&target.expr, catalog)?.0,
                sql: grouping.over_storage(&target.expr)?,
            })
        })
        .collect()
}

fn storage_columns(group: &Group) -> Vec<StorageColumn> {
    let keys = group
        .aggregate
        .keys
        .iter()
        .map(|key| (&key.name, &key.type_sql, &key.collate));
    let states = group
        .aggregate
        .states
        .iter()
        .map(|state| (&state.name, &state.type_sql, &state.collate));
    keys.chain(states)
        .map(|(name, type_sql, collate)| StorageColumn {
            name: name.clone(),
            type_sql: type_sql.clone(),
            collate: collate.clone(),
            not_null: false,
            generated: None,
        })
        .collect()
}

fn view(
    query: &Query,
    table: &str,
    grouping: &Grouping,
    targets: &[Target],
    outputs: &[Visible],
    condition: Option<&str>,
    catalog: &dyn Catalog,
) -> Result<String, Stop> {
    let list: Vec<String> = outputs
        .iter()
        .map(|output| format!("{} AS {}", output.sql, quote_ident(&output.name)))
        .collect();
    let mut view = format!("SELECT {} FROM {table}", list.join(", "));
    if let Some(condition) = condition {
        view.push_str(&format!(" WHERE {condition}"));
    }
    let mut items = Vec::new();
    for (position, sort) in order::targets(query)? {
        let value = grouping.over_storage(&targets[position].expr)?;
        items.push(order::item(&format!("({value})"), sort, catalog)?);
    }
    if !items.is_empty() {
        view.push_str(&format!(" ORDER BY {}", items.join(", ")));
    }
    Ok(view)
}
