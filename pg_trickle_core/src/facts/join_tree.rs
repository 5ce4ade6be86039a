//! The joins of a linear block that are not all inner: outer joins, semi-joins and anti-joins, as a tree over its scans.

use crate::query::Expr;

/// A join tree. Scans are numbered from 1, like the Vars over them.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinTree {
    /// A scan.
    Scan(i32),
    /// Inner and cross joins of these, and filters: with one input, only filters.
    Inner(Vec<JoinTree>, Vec<Expr>),
    /// Two inputs that are joined in another way.
    Pair(Box<Pair>),
}

/// How two inputs are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairKind {
    /// LEFT JOIN; a RIGHT JOIN has its inputs swapped.
    Left,
    /// FULL JOIN.
    Full,
    /// The left rows that match.
    Semi,
    /// The left rows that do not match.
    Anti,
}

/// Two inputs and their condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// How they are joined.
    pub kind: PairKind,
    /// The left input.
    pub left: JoinTree,
    /// The right input.
    pub right: JoinTree,
    /// Conjuncts of the condition.
    pub on: Vec<Expr>,
}

impl JoinTree {
    /// All scans of the tree.
    pub fn scans(&self) -> Vec<i32> {
        match self {
            JoinTree::Scan(scan) => vec![*scan],
            JoinTree::Inner(items, _) => items.iter().flat_map(JoinTree::scans).collect(),
            JoinTree::Pair(pair) => [pair.left.scans(), pair.right.scans()].concat(),
        }
    }

    /// The scans whose columns its rows have.
    pub fn visible(&self) -> Vec<i32> {
        match self {
            JoinTree::Scan(scan) => vec![*scan],
            JoinTree::Inner(items, _) => items.iter().flat_map(JoinTree::visible).collect(),
            JoinTree::Pair(pair) if matches!(pair.kind, PairKind::Semi | PairKind::Anti) => pair.left.visible(),
            JoinTree::Pair(pair) => [pair.left.visible(), pair.right.visible()].concat(),
        }
    }

    /// The visible scans that no outer join makes NULL.
    pub fn preserved(&self) -> Vec<i32> {
        match self {
            JoinTree::Scan(scan) => vec![*scan],
            JoinTree::Inner(items, _) => items.iter().flat_map(JoinTree::preserved).collect(),
            JoinTree::Pair(pair) if pair.kind == PairKind::Full => Vec::new(),
            JoinTree::Pair(pair) => pair.left.preserved(),
        }
    }

    /// The conditions that each of its rows satisfies, none of whose columns an outer join makes NULL.
    pub fn certain(&self) -> Vec<Expr> {
        match self {
            JoinTree::Scan(_) => Vec::new(),
            JoinTree::Inner(items, on) => {
                let preserved = self.preserved();
                let is_certain = |condition: &&Expr| scans_of(condition).iter().all(|scan| preserved.contains(scan));
                let own = on.iter().filter(is_certain).cloned();
                items.iter().flat_map(JoinTree::certain).chain(own).collect()
            }
            JoinTree::Pair(pair) if pair.kind == PairKind::Full => Vec::new(),
            JoinTree::Pair(pair) => pair.left.certain(),
        }
    }

    /// How many full joins it has.
    pub fn full_joins(&self) -> usize {
        match self {
            JoinTree::Scan(_) => 0,
            JoinTree::Inner(items, _) => items.iter().map(JoinTree::full_joins).sum(),
            JoinTree::Pair(pair) => {
                usize::from(pair.kind == PairKind::Full) + pair.left.full_joins() + pair.right.full_joins()
            }
        }
    }

    /// True if all joins are inner.
    pub fn is_inner(&self) -> bool {
        match self {
            JoinTree::Scan(_) => true,
            JoinTree::Inner(items, _) => items.iter().all(JoinTree::is_inner),
            JoinTree::Pair(_) => false,
        }
    }

    /// Calls `visit` for every condition.
    pub fn for_each_condition<'t>(&'t self, visit: &mut dyn FnMut(&'t Expr)) {
        match self {
            JoinTree::Scan(_) => {}
            JoinTree::Inner(items, on) => {
                items.iter().for_each(|item| item.for_each_condition(visit));
                on.iter().for_each(visit);
            }
            JoinTree::Pair(pair) => {
                pair.left.for_each_condition(visit);
                pair.right.for_each_condition(visit);
                pair.on.iter().for_each(visit);
            }
        }
    }

    /// Puts a condition on the rows of the tree as low as possible.
    pub fn filter(&mut self, condition: Expr) {
        let used = scans_of(&condition);
        let holds = |tree: &JoinTree| {
            let visible = tree.visible();
            used.iter().all(|scan| visible.contains(scan))
        };
        match self {
            JoinTree::Pair(pair) if pair.kind != PairKind::Full && holds(&pair.left) => pair.left.filter(condition),
            JoinTree::Inner(items, on) => match items.iter_mut().find(|item| !used.is_empty() && holds(item)) {
                Some(item) if !matches!(item, JoinTree::Scan(_)) => item.filter(condition),
                _ => on.push(condition),
            },
            JoinTree::Scan(_) | JoinTree::Pair(_) => {
                let own = std::mem::replace(self, JoinTree::Scan(0));
                *self = JoinTree::Inner(vec![own], vec![condition]);
            }
        }
    }

    /// Joins the tree with another one.
    pub fn pair(self, kind: PairKind, right: JoinTree, on: Vec<Expr>) -> JoinTree {
        JoinTree::Pair(Box::new(Pair {
            kind,
            left: self,
            right,
            on,
        }))
    }
}

/// The scans that a resolved expression mentions.
pub fn scans_of(expr: &Expr) -> Vec<i32> {
    let mut found = Vec::new();
    expr.for_each(&mut |node| {
        if let Expr::Var(var) = node
            && !found.contains(&var.varno)
        {
            found.push(var.varno);
        }
    });
    found
}

/// The position of a scan.
pub fn index(scan: i32) -> usize {
    usize::try_from(scan - 1).unwrap_or_default()
}
