//! A query without grouping, as a bag over a linear block.

use super::columns::{column_type, contains_composite, is_pseudo};
use super::linear::{Flat, Resolver};
use super::scans::{block, check, print};
use super::stop::{Stop, reason};
use super::{Lowered, keys, order};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::project::{Output, Project};
use crate::plan::OutputColumn;
use crate::query::{Expr, Query, Target};
use crate::sql::ident::quote_ident;
use crate::sql::statement::column;
use crate::stage::bag::Bag;
use crate::stage::rebuild;
use crate::stage::storage::{self, Identity, StorageColumn};
use crate::stage::{Fold, Into};

/// The column with the hash of a row that has no key.
const HASH: &str = "__pgt_hash";

/// Lowers a query that does not group.
pub fn lower(query: &Query, table: &str, catalog: &dyn Catalog) -> Result<Lowered, Stop> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, catalog)?;
    let targets = resolver.targets()?;
    let (block, tree) = block(&flat, catalog)?;
    let mut outputs = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        check(&flat, &target.expr, catalog)?;
        outputs.push(output(&flat, target, position, catalog)?);
    }
    let key = if query.has_target_srfs {
        None
    } else {
        keys::of_join(&flat, catalog)?
    };
    let mut key_names = Vec::new();
    let mut key_equals = Vec::new();
    let mut constraints = Vec::new();
    if let Some((columns, used)) = key {
        constraints = used;
        for var in columns {
            let expr = Expr::Var(var);
            let Some(default) = catalog.default_equality(expr.type_oid())? else {
                return reason("a key without equality");
            };
            key_equals.push(crate::sql::expr::operator_sql(&default.equality));
            let selected = targets.iter().position(|target| target.expr == expr);
            let name = match selected {
                Some(position) => outputs[position].name.clone(),
                None => {
                    let name = format!("__pgt_k{}", key_names.len() + 1);
                    outputs.push(hidden(&flat, &expr, &name, catalog)?);
                    name
                }
            };
            key_names.push(name);
        }
    }
    let identity = if key_names.is_empty() {
        Identity::Hash(HASH.to_owned())
    } else {
        Identity::Key(key_names.clone())
    };
    let bag = Bag {
        table: table.to_owned(),
        outputs,
        identity,
        key_equals,
    };
    let view = view(query, &bag, catalog)?;
    let init = bag.query(&block);
    let tree = Op::Project(Project {
        input: Box::new(tree),
        outputs: bag.outputs.clone(),
    });
    Ok(Lowered {
        columns: visible(&bag.outputs),
        ddl: storage::create(table, &storage_columns(&bag), &bag.identity),
        view,
        compared: bag.compared(),
        identity: bag.identity.clone(),
        key: key_names,
        query: init,
        constraints,
        fold: Some(Fold {
            tree,
            block,
            into: Into::Bag(bag),
        }),
    })
}

fn output(flat: &Flat, target: &Target, position: usize, catalog: &dyn Catalog) -> Result<Output, Stop> {
    let name = match (&target.name, target.junk) {
        (Some(name), false) => name.clone(),
        _ => format!("__pgt_o{}", position + 1),
    };
    if target.junk && is_pseudo(target.expr.type_oid(), catalog)? {
        return reason("ORDER BY a row");
    }
    let mut output = hidden(flat, &target.expr, &name, catalog)?;
    output.hidden = target.junk;
    Ok(output)
}

fn hidden(flat: &Flat, expr: &Expr, name: &str, catalog: &dyn Catalog) -> Result<Output, Error> {
    let (type_sql, collate) = column_type(expr, catalog)?;
    Ok(Output {
        sql: print(flat, expr, catalog)?,
        name: name.to_owned(),
        type_sql,
        collate,
        hidden: true,
        composite: contains_composite(expr.type_oid(), catalog)?,
    })
}

fn visible(outputs: &[Output]) -> Vec<OutputColumn> {
    outputs
        .iter()
        .filter(|output| !output.hidden)
        .map(|output| OutputColumn {
            name: output.name.clone(),
            type_sql: output.type_sql.clone(),
        })
        .collect()
}

fn storage_columns(bag: &Bag) -> Vec<StorageColumn> {
    let is_key = |name: &String| matches!(&bag.identity, Identity::Key(key) if key.contains(name));
    let mut columns: Vec<StorageColumn> = bag
        .outputs
        .iter()
        .map(|output| StorageColumn {
            name: output.name.clone(),
            type_sql: output.type_sql.clone(),
            collate: output.collate.clone(),
            not_null: is_key(&output.name),
            generated: None,
        })
        .collect();
    if let Identity::Hash(name) = &bag.identity {
        columns.push(StorageColumn {
            name: name.clone(),
            type_sql: "pg_catalog.int8".to_owned(),
            collate: String::new(),
            not_null: false,
            generated: Some(rebuild::hash(None, &bag.compared())),
        });
    }
    columns
}

fn view(query: &Query, bag: &Bag, catalog: &dyn Catalog) -> Result<String, Stop> {
    let list: Vec<String> = bag
        .outputs
        .iter()
        .filter(|output| !output.hidden)
        .map(|output| column("s", &output.name))
        .collect();
    let mut view = format!("SELECT {} FROM {} AS s", list.join(", "), bag.table);
    let mut items = Vec::new();
    for (position, sort) in order::targets(query)? {
        let value = format!("s.{}", quote_ident(&bag.outputs[position].name));
        items.push(order::item(&value, sort, catalog)?);
    }
    if !items.is_empty() {
        view.push_str(&format!(" ORDER BY {}", items.join(", ")));
    }
    Ok(view)
}
