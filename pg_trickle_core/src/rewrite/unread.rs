//! Columns of a subquery that nobody reads are NULL, if they could raise an error: the query does not compute them.

use crate::error::Error;
use crate::facts::raising;
use crate::facts::types::{is_pseudo, null_sql, type_of};
use crate::query::{Expr, Query, SqlLeaf};
use crate::stages::graph::StageGraph;

/// Makes NULL of what `query` does not read of `subquery`, its entry `varno` in FROM.
pub fn forget(query: &Query, varno: i32, subquery: &mut Query, graph: &StageGraph) -> Result<(), Error> {
    let counts_values = !subquery.distinct.is_empty() || subquery.set_operations.is_some();
    if counts_values || subquery.has_target_srfs {
        return Ok(());
    }
    let mut read = Vec::new();
    query.clone().replace_vars(&mut |var| {
        if var.varno == varno {
            read.push(var.attno);
        }
        None
    });
    if read.contains(&0) {
        return Ok(());
    }
    for target in &mut subquery.targets {
        let is_read = target.junk || target.ressortgroupref != 0 || read.contains(&target.resno);
        let has_window = target.expr.any(&mut |node| matches!(node, Expr::Window(_)));
        if is_read || has_window || !raising::expr_may_raise(&target.expr, graph)? {
            continue;
        }
        let (type_oid, typmod) = (type_of(&target.expr, graph)?, target.expr.typmod());
        if !is_pseudo(type_oid, graph)? {
            let null = null_sql(type_oid, typmod, graph)?;
            target.expr = SqlLeaf::text(null, type_oid, typmod, target.expr.collation());
        }
    }
    Ok(())
}
