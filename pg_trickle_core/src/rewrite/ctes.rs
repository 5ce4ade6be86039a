//! CTEs as subqueries, one for each reference. References to the same CTE become equal subqueries, which share a stage
//! if they need one. A recursive CTE becomes a subquery that contains the CTE.

use std::cell::Cell;

use crate::facts::fallback::{Fallback, reason};
use crate::oids::{RECORD, RECORD_ARRAY};
use crate::query::{Cte, Expr, Query, Rte, RteKind, Target};

/// A CTE in scope.
#[derive(Clone)]
enum Known {
    Plain {
        query: Box<Query>,
        /// It reads the recursive CTE that it stands in. PostgreSQL allows one such reference.
        is_step: bool,
        /// A reference has been replaced already.
        is_read: Cell<bool>,
    },
    Recursive(Box<Cte>),
}

type Scope = Vec<(String, Known)>;

/// Replaces all references to CTEs.
pub fn inline(query: &mut Query) -> Result<(), Fallback> {
    inline_in(query, &mut Vec::new())
}

fn inline_in(query: &mut Query, scopes: &mut Vec<Scope>) -> Result<(), Fallback> {
    scopes.push(Vec::new());
    for mut cte in std::mem::take(&mut query.ctes) {
        inline_in(&mut cte.query, scopes)?;
        let known = if cte.recursive {
            Known::Recursive(Box::new(cte.clone()))
        } else {
            Known::Plain {
                is_step: reads_itself(&cte.query),
                query: cte.query,
                is_read: Cell::new(false),
            }
        };
        if let Some(own) = scopes.last_mut() {
            own.push((cte.name, known));
        }
    }
    query.recursive = false;
    for rte in &mut query.rtable {
        if let RteKind::Cte {
            name,
            levels_up,
            self_reference: false,
            ..
        } = &rte.kind
        {
            let subquery = resolve(rte, name, *levels_up, scopes)?;
            if let Some(subquery) = subquery {
                rte.kind = RteKind::Subquery(Box::new(subquery));
            }
        } else if let RteKind::Subquery(subquery) = &mut rte.kind {
            inline_in(subquery, scopes)?;
        }
    }
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| inline_sublinks(expr, scopes, &mut result));
    scopes.pop();
    result
}

fn inline_sublinks(expr: &mut Expr, scopes: &mut Vec<Scope>, result: &mut Result<(), Fallback>) {
    if result.is_err() {
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        *result = inline_in(&mut sublink.query, scopes);
    }
    expr.for_each_child_mut(&mut |child| inline_sublinks(child, scopes, result));
}

/// Does a query refer to a recursive CTE that it stands in?
fn reads_itself(query: &Query) -> bool {
    let is_reference = |rte: &Rte| {
        matches!(
            rte.kind,
            RteKind::Cte {
                self_reference: true,
                ..
            }
        )
    };
    let mut found = false;
    query.for_each_query(&mut |query| found |= query.rtable.iter().any(is_reference));
    found
}

/// The subquery for a reference. `None` for a reference from within the recursive CTE itself.
fn resolve(rte: &Rte, name: &str, levels_up: u32, scopes: &[Scope]) -> Result<Option<Query>, Fallback> {
    let scope = scopes
        .len()
        .checked_sub(1 + levels_up as usize)
        .map(|level| &scopes[level]);
    let Some((_, known)) = scope.and_then(|scope| scope.iter().find(|(known, _)| known == name)) else {
        // The reference is in a subquery within the recursive CTE itself.
        return Ok(None);
    };
    match known {
        Known::Plain {
            query,
            is_step,
            is_read,
        } => {
            if is_read.replace(true) && *is_step {
                return reason("WITH RECURSIVE that is read several times through a CTE inside it");
            }
            let mut query = (**query).clone();
            query.raise_outer(levels_up);
            Ok(Some(query))
        }
        Known::Recursive(cte) => {
            if cte.query.is_correlated() {
                return reason("correlated recursive CTE");
            }
            if let RteKind::Cte { types, .. } = &rte.kind
                && types.iter().any(|type_oid| [RECORD, RECORD_ARRAY].contains(type_oid))
            {
                // The path column of CYCLE has the type record[], which no table column can have.
                return reason("WITH RECURSIVE");
            }
            Ok(Some(wrapped(cte, rte)))
        }
    }
}

/// `WITH RECURSIVE cte SELECT * FROM cte`, the same query for every reference.
fn wrapped(cte: &Cte, reference: &Rte) -> Query {
    let mut columns = cte.columns.clone();
    // SEARCH and CYCLE add columns.
    columns.extend(reference.columns.iter().skip(columns.len()).cloned());
    let mut rte = Rte::new(reference.kind.clone(), &cte.name, columns);
    let mut targets = Vec::new();
    if let RteKind::Cte {
        levels_up,
        types,
        typmods,
        collations,
        ..
    } = &mut rte.kind
    {
        *levels_up = 0;
        targets = Target::columns_of(1, types, typmods, collations);
    }
    let mut query = Query::over(rte);
    query.ctes.push(cte.clone());
    query.recursive = true;
    query.targets = targets;
    query
}
