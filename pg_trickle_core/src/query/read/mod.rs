//! The reader: PostgreSQL's stored tree -> [`Query`].
//!
//! Differences between PostgreSQL 17 and 18 end here. Fields that only one of them writes are asked for with
//! [`Node::get`]; PostgreSQL 18's grouping entry is dissolved (`group.rs`). What a stored SELECT cannot contain, and
//! what a newer server may add, is an [`Error::Tree`] that names it.

mod expr;
mod from;
mod group;
mod json;
mod xml;

use super::{
    Cte, CteCycle, CteMaterialize, CteSearch, Expr, GroupingSet, Query, RowMark, RteKind, SetOp, SetOperation,
    SortGroup, Target, Window,
};
use crate::error::Error;
use crate::node::{Node, Tree};
use group::Group;

/// Reads the query of a view from its rule's `pg_rewrite.ev_action`.
///
/// # Errors
/// [`Error::Tree`] for a text that is no tree, or holds something else than one SELECT.
pub fn read_view(ev_action: &str) -> Result<Query, Error> {
    let tree = Tree::parse(ev_action)?;
    let mut items = tree.items()?;
    match (items.next().map(|item| item.node()), items.next()) {
        (Some(Some(node)), None) => Reader::default().query(node),
        _ => Err(Error::Tree("the rule does not hold one query".to_owned())),
    }
}

/// The state of reading: the grouping entries of the queries around the current place, outermost first.
#[derive(Default)]
struct Reader {
    groups: Vec<Option<Group>>,
}

/// The element of `values` that a C enumeration's number means.
fn pick<T: Copy>(node: Node<'_>, field: &str, values: &[T]) -> Result<T, Error> {
    let number: usize = node.number(field)?;
    values
        .get(number)
        .copied()
        .ok_or_else(|| node.bad(field, &format!("has the unknown value {number}")))
}

/// Checks that a node is of the kind that its place asks for.
fn expect(node: Node<'_>, label: &str) -> Result<(), Error> {
    if node.label() == label {
        return Ok(());
    }
    Err(Error::Tree(format!("found a {} where a {label} belongs", node.label())))
}

impl Reader {
    fn query(&mut self, node: Node<'_>) -> Result<Query, Error> {
        expect(node, "QUERY")?;
        if node.number::<i32>("commandType")? != 1 {
            return Err(node.bad("commandType", "is not SELECT"));
        }
        self.groups.push(None);
        let query = self.select(node);
        self.groups.pop();
        query
    }

    fn select(&mut self, node: Node<'_>) -> Result<Query, Error> {
        let ctes = self.each(node, "cteList", Self::cte)?;
        let rtable = self.each(node, "rtable", Self::rte)?;
        // The entry stands last, and FROM comes before grouping: nothing read so far refers to it.
        let group = rtable.iter().zip(1..).find_map(|(rte, varno)| {
            let RteKind::Group { exprs } = &rte.kind else {
                return None;
            };
            Some(Group {
                varno,
                exprs: exprs.clone(),
            })
        });
        if let Some(scope) = self.groups.last_mut() {
            *scope = group;
        }
        let jointree = node.node("jointree")?;
        expect(jointree, "FROMEXPR")?;
        Ok(Query {
            ctes,
            recursive: node.bool("hasRecursive")?,
            rtable,
            from: self.each(jointree, "fromlist", Self::item)?,
            quals: self.opt_expr(jointree, "quals")?,
            targets: self.targets(node, "targetList")?,
            group: sort_groups(node, "groupClause")?,
            group_distinct: node.bool("groupDistinct")?,
            grouping_sets: grouping_sets(node, "groupingSets")?,
            having: self.opt_expr(node, "havingQual")?,
            windows: self.each(node, "windowClause", Self::window)?,
            distinct: sort_groups(node, "distinctClause")?,
            distinct_on: node.bool("hasDistinctOn")?,
            sort: sort_groups(node, "sortClause")?,
            limit_offset: self.opt_expr(node, "limitOffset")?,
            limit_count: self.opt_expr(node, "limitCount")?,
            limit_with_ties: pick(node, "limitOption", &[false, true])?,
            row_marks: self.each(node, "rowMarks", |_, mark| row_mark(mark))?,
            set_operations: node.child("setOperations")?.map(set_operation).transpose()?,
            constraint_deps: node.numbers("constraintDeps")?,
            has_aggs: node.bool("hasAggs")?,
            has_windows: node.bool("hasWindowFuncs")?,
            has_target_srfs: node.bool("hasTargetSRFs")?,
            has_sublinks: node.bool("hasSubLinks")?,
        })
    }

    /// Reads every node of a list.
    fn each<T>(
        &mut self,
        node: Node<'_>,
        field: &str,
        mut read: impl FnMut(&mut Self, Node<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        // A plain loop: the adapters of an iterator would stand on the stack at every level.
        let mut items = Vec::new();
        for item in node.nodes(field)? {
            items.push(read(self, item)?);
        }
        Ok(items)
    }

    fn exprs(&mut self, node: Node<'_>, field: &str) -> Result<Vec<Expr>, Error> {
        self.each(node, field, Self::expr)
    }

    /// A list of expressions that may be null.
    fn opt_exprs(&mut self, node: Node<'_>, field: &str) -> Result<Vec<Option<Expr>>, Error> {
        node.list(field)?
            .map(|item| match item.node() {
                Some(expr) => self.expr(expr).map(Some),
                None if item.is_null() => Ok(None),
                None => Err(node.bad(field, "is no list of expressions")),
            })
            .collect()
    }

    fn opt_expr(&mut self, node: Node<'_>, field: &str) -> Result<Option<Expr>, Error> {
        node.child(field)?.map(|expr| self.expr(expr)).transpose()
    }

    /// The expression in a field that must not be null.
    fn one(&mut self, node: Node<'_>, field: &str) -> Result<Expr, Error> {
        self.expr(node.node(field)?)
    }

    fn targets(&mut self, node: Node<'_>, field: &str) -> Result<Vec<Target>, Error> {
        self.each(node, field, |reader, target| {
            expect(target, "TARGETENTRY")?;
            Ok(Target {
                expr: reader.one(target, "expr")?,
                name: target.string("resname")?,
                resno: target.number("resno")?,
                ressortgroupref: target.number("ressortgroupref")?,
                junk: target.bool("resjunk")?,
            })
        })
    }

    fn window(&mut self, node: Node<'_>) -> Result<Window, Error> {
        expect(node, "WINDOWCLAUSE")?;
        Ok(Window {
            name: node.string("name")?,
            refname: node.string("refname")?,
            partition: sort_groups(node, "partitionClause")?,
            order: sort_groups(node, "orderClause")?,
            frame_options: node.number("frameOptions")?,
            start_offset: self.opt_expr(node, "startOffset")?,
            end_offset: self.opt_expr(node, "endOffset")?,
            winref: node.number("winref")?,
            copied_order: node.bool("copiedOrder")?,
        })
    }

    fn cte(&mut self, node: Node<'_>) -> Result<Cte, Error> {
        expect(node, "COMMONTABLEEXPR")?;
        Ok(Cte {
            name: node.name("ctename")?,
            columns: node.strings("ctecolnames")?,
            query: Box::new(self.query(node.node("ctequery")?)?),
            recursive: node.bool("cterecursive")?,
            materialize: pick(
                node,
                "ctematerialized",
                &[CteMaterialize::Default, CteMaterialize::Always, CteMaterialize::Never],
            )?,
            search: node.child("search_clause")?.map(search).transpose()?,
            cycle: node
                .child("cycle_clause")?
                .map(|clause| self.cycle(clause))
                .transpose()?,
        })
    }

    fn cycle(&mut self, node: Node<'_>) -> Result<CteCycle, Error> {
        expect(node, "CTECYCLECLAUSE")?;
        Ok(CteCycle {
            columns: node.strings("cycle_col_list")?,
            mark: node.name("cycle_mark_column")?,
            value: self.one(node, "cycle_mark_value")?,
            default: self.one(node, "cycle_mark_default")?,
            path: node.name("cycle_path_column")?,
        })
    }
}

fn search(node: Node<'_>) -> Result<CteSearch, Error> {
    expect(node, "CTESEARCHCLAUSE")?;
    Ok(CteSearch {
        columns: node.strings("search_col_list")?,
        breadth_first: node.bool("search_breadth_first")?,
        sequence: node.name("search_seq_column")?,
    })
}

fn sort_groups(node: Node<'_>, field: &str) -> Result<Vec<SortGroup>, Error> {
    node.nodes(field)?
        .into_iter()
        .map(|item| {
            expect(item, "SORTGROUPCLAUSE")?;
            Ok(SortGroup {
                target_ref: item.number("tleSortGroupRef")?,
                eq_op: item.number("eqop")?,
                sort_op: item.number("sortop")?,
                reverse: match item.get("reverse_sort") {
                    Some(_) => item.bool("reverse_sort")?,
                    None => false,
                },
                nulls_first: item.bool("nulls_first")?,
                hashable: item.bool("hashable")?,
            })
        })
        .collect()
}

fn grouping_sets(node: Node<'_>, field: &str) -> Result<Vec<GroupingSet>, Error> {
    node.nodes(field)?
        .into_iter()
        .map(|set| {
            expect(set, "GROUPINGSET")?;
            match set.number("kind")? {
                0 => Ok(GroupingSet::Empty),
                1 => Ok(GroupingSet::Simple(set.numbers("content")?)),
                2 => Ok(GroupingSet::Rollup(grouping_sets(set, "content")?)),
                3 => Ok(GroupingSet::Cube(grouping_sets(set, "content")?)),
                4 => Ok(GroupingSet::Sets(grouping_sets(set, "content")?)),
                kind => Err(set.bad("kind", &format!("has the unknown value {kind}"))),
            }
        })
        .collect()
}

fn row_mark(node: Node<'_>) -> Result<RowMark, Error> {
    expect(node, "ROWMARKCLAUSE")?;
    Ok(RowMark {
        rti: node.number("rti")?,
        strength: node.number("strength")?,
        wait_policy: node.number("waitPolicy")?,
        pushed_down: node.bool("pushedDown")?,
    })
}

fn set_operation(node: Node<'_>) -> Result<SetOperation, Error> {
    if node.label() == "RANGETBLREF" {
        return Ok(SetOperation::Rel(node.number("rtindex")?));
    }
    expect(node, "SETOPERATIONSTMT")?;
    Ok(SetOperation::Op {
        op: match node.number("op")? {
            1 => SetOp::Union,
            2 => SetOp::Intersect,
            3 => SetOp::Except,
            op => return Err(node.bad("op", &format!("has the unknown value {op}"))),
        },
        all: node.bool("all")?,
        left: Box::new(set_operation(node.node("larg")?)?),
        right: Box::new(set_operation(node.node("rarg")?)?),
        types: node.numbers("colTypes")?,
        typmods: node.numbers("colTypmods")?,
        collations: node.numbers("colCollations")?,
        groups: sort_groups(node, "groupClauses")?,
    })
}
