//! WITH.

use crate::error::Error;
use crate::query::{Cte, CteCycle, CteMaterialize, CteSearch, Query};
use crate::sql::expr::Printer;
use crate::sql::ident::quote_ident;

impl Printer<'_> {
    /// `WITH ... `, or nothing without CTEs.
    pub(super) fn with_clause(&self, query: &Query) -> Result<String, Error> {
        if query.ctes.is_empty() {
            return Ok(String::new());
        }
        let texts: Vec<String> = query.ctes.iter().map(|cte| self.cte(cte)).collect::<Result<_, _>>()?;
        let recursive = if query.recursive { "RECURSIVE " } else { "" };
        Ok(format!("WITH {recursive}{} ", texts.join(", ")))
    }

    fn cte(&self, cte: &Cte) -> Result<String, Error> {
        let mut text = quote_ident(&cte.name);
        // If the query itself gives the columns these names, no list is needed.
        if cte.columns != super::output_names(&cte.query) {
            text.push_str(&format!("({})", names(&cte.columns)));
        }
        text.push_str(match cte.materialize {
            CteMaterialize::Default => " AS (",
            CteMaterialize::Always => " AS MATERIALIZED (",
            CteMaterialize::Never => " AS NOT MATERIALIZED (",
        });
        text.push_str(&self.subquery(&cte.query)?);
        text.push(')');
        if let Some(search) = &cte.search {
            text.push_str(&search_clause(search));
        }
        if let Some(cycle) = &cte.cycle {
            text.push_str(&self.cycle_clause(cycle)?);
        }
        Ok(text)
    }

    fn cycle_clause(&self, cycle: &CteCycle) -> Result<String, Error> {
        Ok(format!(
            " CYCLE {} SET {} TO {} DEFAULT {} USING {}",
            names(&cycle.columns),
            quote_ident(&cycle.mark),
            self.cycle_mark(&cycle.value)?,
            self.cycle_mark(&cycle.default)?,
            quote_ident(&cycle.path)
        ))
    }

    /// The grammar accepts `type 'literal'` here, but not `'literal'::type`.
    fn cycle_mark(&self, mark: &crate::query::Expr) -> Result<String, Error> {
        let crate::query::Expr::Const(constant) = mark else {
            return Err(Error::Tree("a CYCLE mark that is not a constant".to_owned()));
        };
        if constant.is_null {
            return Ok("NULL".to_owned());
        }
        let type_sql = self.catalog.type_sql(constant.type_oid, constant.typmod)?;
        let text = self.const_text(constant)?;
        Ok(format!("{type_sql} {}", crate::sql::literal::quote_literal(&text)))
    }
}

fn search_clause(search: &CteSearch) -> String {
    let order = if search.breadth_first { "BREADTH" } else { "DEPTH" };
    format!(
        " SEARCH {order} FIRST BY {} SET {}",
        names(&search.columns),
        quote_ident(&search.sequence)
    )
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote_ident(name)).collect();
    quoted.join(", ")
}
