//! Subqueries in expressions.

use super::{Printer, Scope};
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, ParamKind, Query, SqlLeaf, SubLink, SubLinkKind};
use crate::sql::query::{self, Level};

impl Printer<'_> {
    /// A subquery in an expression.
    #[inline(never)]
    pub(super) fn sublink(&self, sublink: &SubLink) -> Result<String, Error> {
        let query = self.subquery(&sublink.query)?;
        match sublink.kind {
            SubLinkKind::Exists => Ok(format!("EXISTS ({query})")),
            SubLinkKind::Expr => Ok(format!("({query})")),
            SubLinkKind::Array => Ok(format!("ARRAY({query})")),
            SubLinkKind::Any | SubLinkKind::All | SubLinkKind::RowCompare => self.tested_sublink(sublink, &query),
            SubLinkKind::MultiExpr | SubLinkKind::Cte => {
                Err(Error::Tree("a subquery of an UPDATE or a plan".to_owned()))
            }
        }
    }

    /// A subquery, one level below.
    #[inline(never)]
    pub(in crate::sql) fn subquery(&self, query: &Query) -> Result<String, Error> {
        let scope = Scope::Level(Level::new(query, Some(self.scope), self.catalog)?);
        query::select(
            &Printer {
                catalog: self.catalog,
                scope: &scope,
            },
            None,
        )
    }

    #[inline(never)]
    fn tested_sublink(&self, sublink: &SubLink, query: &str) -> Result<String, Error> {
        let test = sublink
            .test
            .as_ref()
            .ok_or_else(|| Error::Tree("ANY or ALL without a test".to_owned()))?;
        let mut pairs = Vec::new();
        collect_pairs(test, &mut pairs)?;
        let (operators, left): (Vec<Oid>, Vec<&Expr>) = pairs.into_iter().unzip();
        let Some(operator) = self.common_operator(&operators)? else {
            return self.sublink_by_count(sublink, test, query);
        };
        let row = match (left.as_slice(), sublink.kind) {
            // A single value that is a row goes into a row of its own. Otherwise its fields would be compared.
            ([one], SubLinkKind::Any | SubLinkKind::All) if !matches!(one, Expr::Row(_)) => self.expr(one)?,
            _ => {
                let texts: Vec<String> = left.iter().map(|expr| self.expr(expr)).collect::<Result<_, _>>()?;
                format!("ROW({})", texts.join(", "))
            }
        };
        let word = match sublink.kind {
            SubLinkKind::Any => " ANY",
            SubLinkKind::All => " ALL",
            _ => "",
        };
        Ok(format!("({row} {operator}{word} ({query}))"))
    }

    /// The same with three-valued logic written out, for row tests whose operators have different names, which no
    /// syntax can express.
    #[inline(never)]
    fn sublink_by_count(&self, sublink: &SubLink, test: &Expr, query: &str) -> Result<String, Error> {
        let names: Vec<String> = (1..=sublink.query.targets.len()).map(|n| format!("c{n}")).collect();
        let test = test.transform(&mut |node| match node {
            Expr::Param(param) if param.kind == ParamKind::Sublink => Some(SqlLeaf::text(
                format!("__pgt_s.c{}", param.id),
                param.type_oid,
                param.typmod,
                param.collation,
            )),
            _ => None,
        });
        let test = self.expr(&test)?;
        let from = format!("({query}) AS __pgt_s({})", names.join(", "));
        if sublink.kind == SubLinkKind::RowCompare {
            return Ok(format!("(SELECT {test} FROM {from})"));
        }
        let (decisive, otherwise, aggregate) = match sublink.kind {
            SubLinkKind::Any => ("true", "false", "bool_or"),
            _ => ("false", "true", "bool_and"),
        };
        Ok(format!(
            "(SELECT CASE WHEN (pg_catalog.{aggregate}(__pgt_t.c) IS {decisive}) THEN {decisive} \
             WHEN pg_catalog.bool_or((__pgt_t.c IS NULL)) THEN NULL ELSE {otherwise} END \
             FROM (SELECT {test} AS c FROM {from}) AS __pgt_t)"
        ))
    }
}

/// The operators of a test, and the expressions to the left of them.
fn collect_pairs<'e>(test: &'e Expr, pairs: &mut Vec<(Oid, &'e Expr)>) -> Result<(), Error> {
    match test {
        Expr::Op(op) => match op.args.as_slice() {
            [left, _] => {
                pairs.push((op.operator, left));
                Ok(())
            }
            _ => Err(Error::Tree("a test without two operands".to_owned())),
        },
        Expr::Bool(boolean) => boolean.args.iter().try_for_each(|arg| collect_pairs(arg, pairs)),
        Expr::RowCompare(compare) => {
            pairs.extend(compare.operators.iter().copied().zip(&compare.left));
            Ok(())
        }
        _ => Err(Error::Tree("a subquery's test that is not a comparison".to_owned())),
    }
}
