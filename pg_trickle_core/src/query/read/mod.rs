//! The reader: PostgreSQL's stored tree -> [`Query`].
//!
//! The reader hides the differences between PostgreSQL 17 and 18. It reads fields that only one of them writes with
//! [`Node::get`], and resolves PostgreSQL 18's grouping entry (`group.rs`). Whatever a stored SELECT cannot contain, or
//! a newer server may add, is an [`Error::Tree`] that names it.

mod expr;
mod fields;
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
/// [`Error::Tree`] if the text is not a tree, or holds anything but one SELECT.
pub fn read_view(ev_action: &str) -> Result<Query, Error> {
    let tree = Tree::parse(ev_action)?;
    let mut items = tree.items()?;
    let (Some(Some(node)), None) = (items.next().map(|item| item.node()), items.next()) else {
        return Err(Error::Tree("the rule does not hold one query".to_owned()));
    };
    let mut reader = Reader::default();
    let query = reader.query(node);
    reader.failure.map_or(Ok(query), Err)
}

/// The state of the reader.
#[derive(Default)]
struct Reader {
    /// The grouping entries of the enclosing queries, outermost first.
    groups: Vec<Option<Group>>,
    /// The first error.
    failure: Option<Error>,
}

impl Reader {
    fn query(&mut self, node: Node<'_>) -> Query {
        self.expect(node, "QUERY");
        if self.number::<i32>(node, "commandType") != 1 {
            self.fail(node.bad("commandType", "is not SELECT"));
        }
        self.groups.push(None);
        let query = self.select(node);
        self.groups.pop();
        query
    }

    fn select(&mut self, node: Node<'_>) -> Query {
        let ctes = self.each(node, "cteList", Self::cte);
        let mut rtable = self.each(node, "rtable", Self::rte);
        // The grouping entry is the last one, and FROM precedes grouping, so nothing read so far refers to it.
        if let Some(Some(group)) = self.groups.last_mut() {
            group.varno = i32::try_from(rtable.len()).unwrap_or_default();
            if !matches!(rtable.pop(), Some(entry) if entry.kind == RteKind::Result) {
                self.fail(node.bad("rtable", "goes on after its grouping entry"));
            }
        }
        let jointree = self.node(node, "jointree");
        self.expect(jointree, "FROMEXPR");
        Query {
            ctes,
            recursive: self.flag(node, "hasRecursive"),
            rtable,
            from: self.each(jointree, "fromlist", Self::item),
            quals: self.opt_expr(jointree, "quals"),
            targets: self.targets(node, "targetList"),
            group: self.sort_groups(node, "groupClause"),
            group_distinct: self.flag(node, "groupDistinct"),
            grouping_sets: self.grouping_sets(node, "groupingSets"),
            having: self.opt_expr(node, "havingQual"),
            windows: self.each(node, "windowClause", Self::window),
            distinct: self.sort_groups(node, "distinctClause"),
            distinct_on: self.flag(node, "hasDistinctOn"),
            sort: self.sort_groups(node, "sortClause"),
            limit_offset: self.opt_expr(node, "limitOffset"),
            limit_count: self.opt_expr(node, "limitCount"),
            reserve: 0,
            top: None,
            limit_with_ties: self.pick(node, "limitOption", &[false, true]),
            row_marks: self.each(node, "rowMarks", Self::row_mark),
            set_operations: self.opt(node, "setOperations", Self::set_operation),
            constraint_deps: self.numbers(node, "constraintDeps"),
            has_aggs: self.flag(node, "hasAggs"),
            has_windows: self.flag(node, "hasWindowFuncs"),
            has_target_srfs: self.flag(node, "hasTargetSRFs"),
            has_sublinks: self.flag(node, "hasSubLinks"),
        }
    }

    #[inline(never)]
    fn exprs(&mut self, node: Node<'_>, field: &str) -> Vec<Expr> {
        self.each(node, field, Self::expr)
    }

    /// A list of expressions that may be null.
    fn opt_exprs(&mut self, node: Node<'_>, field: &str) -> Vec<Option<Expr>> {
        let mut exprs = Vec::new();
        for item in self.items(node, field) {
            let expr = item.node().map(|expr| self.expr(expr));
            if expr.is_none() && !item.is_null() {
                self.fail(node.bad(field, "is not a list of expressions"));
            }
            exprs.push(expr);
        }
        exprs
    }

    #[inline(never)]
    fn opt_expr(&mut self, node: Node<'_>, field: &str) -> Option<Expr> {
        self.opt(node, field, Self::expr)
    }

    /// The expression in a field that must not be null.
    #[inline(never)]
    fn one(&mut self, node: Node<'_>, field: &str) -> Expr {
        self.inner(node, field, Self::expr)
    }

    #[inline(never)]
    fn targets(&mut self, node: Node<'_>, field: &str) -> Vec<Target> {
        self.each(node, field, Self::target)
    }

    fn target(&mut self, node: Node<'_>) -> Target {
        self.expect(node, "TARGETENTRY");
        Target {
            expr: self.one(node, "expr"),
            name: self.string(node, "resname"),
            resno: self.number(node, "resno"),
            ressortgroupref: self.number(node, "ressortgroupref"),
            junk: self.flag(node, "resjunk"),
        }
    }

    fn window(&mut self, node: Node<'_>) -> Window {
        self.expect(node, "WINDOWCLAUSE");
        Window {
            name: self.string(node, "name"),
            refname: self.string(node, "refname"),
            partition: self.sort_groups(node, "partitionClause"),
            order: self.sort_groups(node, "orderClause"),
            frame_options: self.number(node, "frameOptions"),
            start_offset: self.opt_expr(node, "startOffset"),
            end_offset: self.opt_expr(node, "endOffset"),
            winref: self.number(node, "winref"),
            copied_order: self.flag(node, "copiedOrder"),
        }
    }

    fn cte(&mut self, node: Node<'_>) -> Cte {
        self.expect(node, "COMMONTABLEEXPR");
        Cte {
            name: self.name(node, "ctename"),
            columns: self.strings(node, "ctecolnames"),
            query: Box::new(self.inner(node, "ctequery", Self::query)),
            recursive: self.flag(node, "cterecursive"),
            materialize: self.pick(
                node,
                "ctematerialized",
                &[CteMaterialize::Default, CteMaterialize::Always, CteMaterialize::Never],
            ),
            search: self.opt(node, "search_clause", Self::search),
            cycle: self.opt(node, "cycle_clause", Self::cycle),
        }
    }

    fn cycle(&mut self, node: Node<'_>) -> CteCycle {
        self.expect(node, "CTECYCLECLAUSE");
        CteCycle {
            columns: self.strings(node, "cycle_col_list"),
            mark: self.name(node, "cycle_mark_column"),
            value: self.one(node, "cycle_mark_value"),
            default: self.one(node, "cycle_mark_default"),
            path: self.name(node, "cycle_path_column"),
        }
    }

    fn search(&mut self, node: Node<'_>) -> CteSearch {
        self.expect(node, "CTESEARCHCLAUSE");
        CteSearch {
            columns: self.strings(node, "search_col_list"),
            breadth_first: self.flag(node, "search_breadth_first"),
            sequence: self.name(node, "search_seq_column"),
        }
    }

    #[inline(never)]
    fn sort_groups(&mut self, node: Node<'_>, field: &str) -> Vec<SortGroup> {
        self.each(node, field, Self::sort_group)
    }

    fn sort_group(&mut self, node: Node<'_>) -> SortGroup {
        self.expect(node, "SORTGROUPCLAUSE");
        SortGroup {
            target_ref: self.number(node, "tleSortGroupRef"),
            eq_op: self.number(node, "eqop"),
            sort_op: self.number(node, "sortop"),
            reverse: node.get("reverse_sort").is_some() && self.flag(node, "reverse_sort"),
            nulls_first: self.flag(node, "nulls_first"),
            hashable: self.flag(node, "hashable"),
        }
    }

    #[inline(never)]
    fn grouping_sets(&mut self, node: Node<'_>, field: &str) -> Vec<GroupingSet> {
        self.each(node, field, Self::grouping_set)
    }

    fn grouping_set(&mut self, node: Node<'_>) -> GroupingSet {
        self.expect(node, "GROUPINGSET");
        match self.number(node, "kind") {
            0 => GroupingSet::Empty,
            1 => GroupingSet::Simple(self.numbers(node, "content")),
            2 => GroupingSet::Rollup(self.grouping_sets(node, "content")),
            3 => GroupingSet::Cube(self.grouping_sets(node, "content")),
            4 => GroupingSet::Sets(self.grouping_sets(node, "content")),
            kind => {
                self.unknown(node, "kind", kind);
                GroupingSet::Empty
            }
        }
    }

    fn row_mark(&mut self, node: Node<'_>) -> RowMark {
        self.expect(node, "ROWMARKCLAUSE");
        RowMark {
            rti: self.number(node, "rti"),
            strength: self.number(node, "strength"),
            wait_policy: self.number(node, "waitPolicy"),
            pushed_down: self.flag(node, "pushedDown"),
        }
    }

    fn set_operation(&mut self, node: Node<'_>) -> SetOperation {
        // Only this label is read as a node with nested operations, so that reading a broken tree terminates.
        if node.label() != "SETOPERATIONSTMT" {
            self.expect(node, "RANGETBLREF");
            return SetOperation::Rel(self.number(node, "rtindex"));
        }
        SetOperation::Op {
            op: self.pick_from_1(node, "op", &[SetOp::Union, SetOp::Intersect, SetOp::Except]),
            all: self.flag(node, "all"),
            left: Box::new(self.inner(node, "larg", Self::set_operation)),
            right: Box::new(self.inner(node, "rarg", Self::set_operation)),
            types: self.numbers(node, "colTypes"),
            typmods: self.numbers(node, "colTypmods"),
            collations: self.numbers(node, "colCollations"),
            groups: self.sort_groups(node, "groupClauses"),
        }
    }
}
