//! LEFT, RIGHT and FULL JOIN, EXISTS, NOT EXISTS and IN, by fold.
//!
//! A left join is its inner join and its *null part*: the left rows without a match, with NULLs in place of the right
//! row. An anti-join is the null part alone, a semi-join its complement, and a full join has two null parts. With m₁(l)
//! for the matches of a left row after the statement, δ(l) for the sum of the weights of the changed right rows that
//! match it, and m₀ = m₁ − δ:
//!
//!   Δ(null part) = Σ over ΔL of w · [m₀(l) = 0]  +  Σ over the rows of L that a changed right row matches of
//!                  [m₁(l) = 0] − [m₀(l) = 0]
//!
//! Only the new state is read. Whether m₀ is 0 shows as soon as δ + 1 matches are found, so a left row with many matches
//! costs no more than one with few. All terms are linear in what stands above: a join, an aggregate or a set operation
//! needs no stored join. Changed right rows that differ in nothing that the condition compares cancel first.
//!
//! State: none. Cost: the change times its fan-out, and one look-up for each left row that the change matches, given
//! indexes on the compared columns of both sides.
//!
//! Source: the terms of Larson, Zhou, "Efficient maintenance of materialized outer-join views", 2007, with the old state
//! expressed by the new one as for inner joins; the bounded count is our own.

use std::cell::Cell;

use super::inner_join::Changed;
use super::scan::{SIGN, Scan, Version};
use crate::facts::join_tree::PairKind;
use crate::sql::statement::{and, column, op};

/// A join tree over the scans of a block, by position, with its conditions as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A scan.
    Scan(usize),
    /// Inner joins and filters.
    Inner(Vec<Tree>, Vec<String>),
    /// Another join of two inputs.
    Pair(Box<TreePair>),
}

/// Two inputs and their condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePair {
    /// How they are joined.
    pub kind: PairKind,
    /// The left input.
    pub left: Tree,
    /// The right input.
    pub right: Tree,
    /// Conjuncts of the condition.
    pub on: Vec<String>,
    /// The columns that the condition mentions: positions of scans, and of their used columns.
    pub compared: Vec<(usize, usize)>,
    /// For the left and the right input: a value that no row of it lacks, if only a join with all of its rows finds those
    /// that match, because no index does.
    pub unindexed: [Option<String>; 2],
}

impl Tree {
    fn scans(&self) -> Vec<usize> {
        match self {
            Tree::Scan(scan) => vec![*scan],
            Tree::Inner(items, _) => items.iter().flat_map(Tree::scans).collect(),
            Tree::Pair(pair) => [pair.left.scans(), pair.right.scans()].concat(),
        }
    }

    /// True if no index finds the matches of a row.
    pub fn any_unindexed(&self) -> bool {
        match self {
            Tree::Scan(_) => false,
            Tree::Inner(items, _) => items.iter().any(Tree::any_unindexed),
            Tree::Pair(pair) => {
                pair.unindexed.iter().any(Option::is_some) || pair.left.any_unindexed() || pair.right.any_unindexed()
            }
        }
    }

    fn visible(&self) -> Vec<usize> {
        match self {
            Tree::Scan(scan) => vec![*scan],
            Tree::Inner(items, _) => items.iter().flat_map(Tree::visible).collect(),
            Tree::Pair(pair) if matches!(pair.kind, PairKind::Semi | PairKind::Anti) => pair.left.visible(),
            Tree::Pair(pair) => [pair.left.visible(), pair.right.visible()].concat(),
        }
    }
}

/// Rows of one weight, or with a weight of their own each: FROM and WHERE over the aliases of the scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// +1 or −1.
    pub sign: i8,
    /// An expression by which the sign is multiplied.
    pub weight: Option<String>,
    /// The FROM item.
    pub from: String,
    /// Conjuncts of WHERE.
    pub filter: Vec<String>,
}

/// FROM and WHERE of the rows after the statement.
pub fn now(scans: &[Scan], tree: &Tree) -> (String, Vec<String>) {
    let both = |pair: &TreePair| {
        let (left, above) = now(scans, &pair.left);
        let (right, on) = now(scans, &pair.right);
        (left, above, right, [pair.on.clone(), on].concat())
    };
    match tree {
        Tree::Scan(scan) => (scans[*scan].item(Version::Now), Vec::new()),
        Tree::Inner(items, on) => {
            let mut filter = on.clone();
            let mut from = Vec::new();
            for item in items {
                let (own, conditions) = now(scans, item);
                from.push(own);
                filter.extend(conditions);
            }
            let joined = from.join(" CROSS JOIN ");
            let parenthesized = from.len() > 1;
            (if parenthesized { format!("({joined})") } else { joined }, filter)
        }
        Tree::Pair(pair) => {
            let (left, mut above, right, on) = both(pair);
            let found = || format!("EXISTS (SELECT FROM {right} WHERE {})", and(&on));
            let from = match pair.kind {
                PairKind::Left => format!("({left} LEFT JOIN {right} ON {})", and(&on)),
                PairKind::Full => format!("({left} FULL JOIN {right} ON {})", and(&on)),
                PairKind::Semi | PairKind::Anti => {
                    above.push(if pair.kind == PairKind::Semi {
                        found()
                    } else {
                        format!("(NOT {})", found())
                    });
                    left
                }
            };
            (from, above)
        }
    }
}

/// The change of a tree's rows.
pub fn delta(scans: &[Scan], tree: &Tree, changed: &[Changed]) -> Vec<Piece> {
    let rule = Rule {
        scans,
        changed,
        derived: Cell::new(0),
    };
    rule.delta(tree)
}

/// The column with the weight of a row of a derived table.
const WEIGHT: &str = "__pgt_w";
/// The column with δ, the weight of the changed rows that match.
const MATCHES: &str = "__pgt_d";
/// The CTE with rows whose matches are counted, and an image of what they are compared by.
const TOLD: &str = "__pgt_told";

/// A column of a scan: its position, and that of its used column.
type ScanColumn = (usize, usize);

struct Rule<'a> {
    scans: &'a [Scan],
    changed: &'a [Changed],
    /// Numbers the derived tables.
    derived: Cell<usize>,
}

impl Rule<'_> {
    fn delta(&self, tree: &Tree) -> Vec<Piece> {
        match tree {
            Tree::Scan(scan) => self.scan(*scan),
            Tree::Inner(items, on) => self.inner(items, on),
            Tree::Pair(pair) => match pair.kind {
                PairKind::Left => self.left(pair),
                PairKind::Full => {
                    let mut pieces = self.left(pair);
                    let alone = self.unmatched(&pair.right, &pair.left, pair, PairKind::Anti);
                    pieces.extend(self.with_nulls(alone, &pair.left));
                    pieces
                }
                kind @ (PairKind::Semi | PairKind::Anti) => self.unmatched(&pair.left, &pair.right, pair, kind),
            },
        }
    }

    fn is_changed(&self, tree: &Tree) -> bool {
        let scans = tree.scans();
        self.changed.iter().any(|changed| scans.contains(&changed.scan))
    }

    fn now(&self, tree: &Tree) -> (String, Vec<String>) {
        now(self.scans, tree)
    }

    fn scan(&self, scan: usize) -> Vec<Piece> {
        let Some(changed) = self.changed.iter().find(|changed| changed.scan == scan) else {
            return Vec::new();
        };
        let scan = &self.scans[scan];
        let version = match (changed.new, changed.old) {
            (true, true) => Version::Changed,
            (true, false) => Version::New,
            (false, _) => Version::Old,
        };
        vec![Piece {
            sign: version.weight(),
            weight: (version == Version::Changed).then(|| column(&scan.alias, SIGN)),
            from: scan.item(version),
            filter: Vec::new(),
        }]
    }

    /// Δ(A ⋈ B) = ΔA ⋈ B + A ⋈ ΔB − ΔA ⋈ ΔB.
    fn product(&self, left: &Tree, changes_left: &[Piece], right: &Tree, changes_right: &[Piece]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (changes, other) in [(changes_left, right), (changes_right, left)] {
            let (from, filter) = self.now(other);
            pieces.extend(changes.iter().map(|piece| Piece {
                from: format!("{} CROSS JOIN {from}", piece.from),
                filter: [piece.filter.clone(), filter.clone()].concat(),
                ..piece.clone()
            }));
        }
        for a in changes_left {
            pieces.extend(changes_right.iter().map(|b| Piece {
                sign: -a.sign * b.sign,
                weight: match (&a.weight, &b.weight) {
                    (Some(a), Some(b)) => Some(op(a, "*", b)),
                    (a, b) => a.clone().or_else(|| b.clone()),
                },
                from: format!("{} CROSS JOIN {}", a.from, b.from),
                filter: [a.filter.clone(), b.filter.clone()].concat(),
            }));
        }
        pieces
    }

    fn inner(&self, items: &[Tree], on: &[String]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let changes = self.delta(item);
            pieces = if n == 0 {
                changes
            } else {
                let before = Tree::Inner(items[..n].to_vec(), Vec::new());
                self.product(&before, &pieces, item, &changes)
            };
        }
        match self.changed {
            [changed] if items.contains(&Tree::Scan(changed.scan)) => {
                restricted(pieces, &self.scans[changed.scan].told(on, self.scans))
            }
            _ => restricted(pieces, on),
        }
    }

    /// The change of a left join, and of a full join as far as it keeps left rows.
    fn left(&self, pair: &TreePair) -> Vec<Piece> {
        let changes = self.delta(&pair.left);
        if !self.is_changed(&pair.right) {
            let (right, on) = self.now(&pair.right);
            let on = [pair.on.clone(), on].concat();
            let join = |piece: Piece| Piece {
                from: format!("{} LEFT JOIN {right} ON {}", piece.from, and(&on)),
                ..piece
            };
            return changes.into_iter().map(join).collect();
        }
        let product = self.product(&pair.left, &changes, &pair.right, &self.delta(&pair.right));
        let mut pieces = restricted(product, &pair.on);
        let alone = self.unmatched(&pair.left, &pair.right, pair, PairKind::Anti);
        pieces.extend(self.with_nulls(alone, &pair.right));
        pieces
    }

    /// The change of the rows of `kept` that have no match in `other`; with [`PairKind::Semi`], of those that have one.
    fn unmatched(&self, kept: &Tree, other: &Tree, pair: &TreePair, kind: PairKind) -> Vec<Piece> {
        let anti = kind == PairKind::Anti;
        let changes = self.delta(kept);
        let (from, on) = self.now(other);
        let on = [pair.on.clone(), on].concat();
        if !self.is_changed(other) {
            let found = format!("EXISTS (SELECT FROM {from} WHERE {})", and(&on));
            return restricted(changes, &[if anti { format!("(NOT {found})") } else { found }]);
        }
        let hit = pair.unindexed[usize::from(*other == pair.right)].clone();
        let matches = Matches {
            from,
            on,
            hit,
            own: self.compared(kept, pair),
        };
        let columns = self.columns(kept);
        let mut pieces = Vec::new();
        if !changes.is_empty() {
            let (own, now) = (dotted("m", MATCHES), dotted("p", MATCHES));
            let had_none = op(&now, "=", &own);
            let condition = if anti { had_none } else { format!("(NOT {had_none})") };
            let counted = self.changed_rows(&changes, &columns, other, pair);
            pieces.push(self.counted_again(&counted, &columns, &matches, &condition, 1));
        }
        let gained = op(&dotted("m", MATCHES), ">", "0");
        let now_or_before = format!("CASE WHEN {gained} THEN {} ELSE 0 END", dotted("m", MATCHES));
        let condition = op(&dotted("p", MATCHES), "=", &now_or_before);
        let counted = self.matched_rows(kept, &columns, other, pair);
        pieces.push(self.counted_again(&counted, &columns, &matches, &condition, if anti { 1 } else { -1 }));
        pieces
    }

    /// Changed rows, each with its weight and the sum of the weights of the changed rows of `other` that match it.
    fn changed_rows(&self, changes: &[Piece], columns: &[ScanColumn], other: &Tree, pair: &TreePair) -> String {
        let (met, matching) = self.matching(other, pair);
        let matching = if self.compared(other, pair).is_empty() {
            matching
        } else {
            format!("({matching})")
        };
        let rows = self.fresh();
        // Rows of transition tables are told apart by a number.
        let numbered = format!(
            "(SELECT u.*, pg_catalog.row_number() OVER () AS __pgt_n FROM ({}) AS u) AS {rows}",
            self.union(changes, columns)
        );
        let mut listed = self.first(columns, &|column| format!("{rows}.{}", self.name(column)));
        listed.push(format!("pg_catalog.any_value({rows}.{WEIGHT}) AS {WEIGHT}"));
        listed.push(format!(
            "coalesce(pg_catalog.sum({met}.{WEIGHT}), 0)::pg_catalog.int8 AS {MATCHES}"
        ));
        format!(
            "SELECT {} FROM {} LEFT JOIN {matching} ON {} GROUP BY {rows}.__pgt_n",
            listed.join(", "),
            self.again(&numbered, &rows, columns),
            and(&pair.on),
        )
    }

    /// The rows of `kept` as they are now that changed rows of `other` match, each with the sum of their weights, if it is
    /// not 0, and with the weight that it gets if it comes to have no match, or stops having none.
    fn matched_rows(&self, kept: &Tree, columns: &[ScanColumn], other: &Tree, pair: &TreePair) -> String {
        let (met, matching) = self.matching(other, pair);
        let (left, above) = self.now(kept);
        let sum = format!("pg_catalog.sum({met}.{WEIGHT})");
        let mut listed = self.first(columns, &|(scan, n)| {
            let scan = &self.scans[scan];
            column(&scan.alias, &scan.used[n].name)
        });
        listed.push(format!(
            "CASE WHEN {} THEN -1 ELSE 1 END AS {WEIGHT}",
            op(&sum, ">", "0")
        ));
        listed.push(format!("{sum}::pg_catalog.int8 AS {MATCHES}"));
        let places = kept.visible();
        let places: Vec<String> = places.iter().flat_map(|scan| self.scans[*scan].place.clone()).collect();
        format!(
            "SELECT {} FROM {matching} CROSS JOIN {left} WHERE {} GROUP BY {} HAVING {}",
            listed.join(", "),
            and(&[pair.on.clone(), above].concat()),
            places.join(", "),
            op(&sum, "<>", "0"),
        )
    }

    /// The rows of `m`, for which the number of their present matches, `p`, meets a condition. If an index finds these,
    /// the count stops at one more than is needed to know.
    fn counted_again(&self, m: &str, columns: &[ScanColumn], matches: &Matches, condition: &str, sign: i8) -> Piece {
        let Matches { from, on, hit, own } = matches;
        let x = self.fresh();
        let rows = match hit {
            None => {
                let enough = op(&format!("greatest({}, 0)", dotted("m", MATCHES)), "+", "1");
                format!(
                    "SELECT m.* FROM {} CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS {MATCHES} \
                     FROM (SELECT FROM {from} WHERE {} LIMIT {enough}) AS q) AS p",
                    self.again(&format!("({m}) AS m"), "m", columns),
                    and(on),
                )
            }
            Some(hit) => {
                // Rows that are compared by the same values have the same matches, which are joined and counted once: the
                // pairs of all rows would be many where few values are shared by many rows.
                let compared: Vec<String> = own.iter().map(|column| format!("u.{}", self.name(*column))).collect();
                let image = format!("pgtrickle.row_image(ROW({}))", compared.join(", "));
                let each = format!("(SELECT DISTINCT ON (i.__pgt_i) i.* FROM {TOLD} AS i) AS c");
                let mut listed = self.first(columns, &|column| format!("c.{}", self.name(column)));
                listed.extend([WEIGHT, MATCHES].map(|name| format!("pg_catalog.any_value(c.{name})")));
                // A window gives the rows of one image their count, and not a join: its plan might count once for each row.
                format!(
                    "SELECT m.* FROM (WITH {TOLD} AS MATERIALIZED (SELECT u.*, {image} AS __pgt_i FROM ({m}) AS u) \
                     SELECT i.*, pg_catalog.max(i.__pgt_c) OVER (PARTITION BY i.__pgt_i) AS __pgt_p FROM (\
                     SELECT i.*, NULL::pg_catalog.int8 AS __pgt_c FROM {TOLD} AS i UNION ALL \
                     SELECT {}, c.__pgt_i, pg_catalog.count({hit}) FROM {} LEFT JOIN {from} ON {} GROUP BY c.__pgt_i) AS i) AS m \
                     CROSS JOIN LATERAL (SELECT m.__pgt_p AS {MATCHES} WHERE m.__pgt_c IS NULL) AS p",
                    listed.join(", "),
                    self.again(&each, "c", columns),
                    and(on),
                )
            }
        };
        // OFFSET keeps conditions on the result away from rows that are not in it.
        let rows = format!("({rows} WHERE {condition} OFFSET 0) AS {x}");
        Piece {
            sign,
            weight: Some(dotted(&x, WEIGHT)),
            from: self.again(&rows, &x, columns),
            filter: Vec::new(),
        }
    }

    /// The value of each column in a group of equal rows.
    fn first(&self, columns: &[ScanColumn], value: &dyn Fn(ScanColumn) -> String) -> Vec<String> {
        let listed = columns.iter().map(|column| {
            let name = self.name(*column);
            format!("pg_catalog.any_value({}) AS {name}", value(*column))
        });
        listed.collect()
    }

    /// The changed rows of an input, as far as a condition compares them, with their weights: an alias and a FROM item with
    /// the columns under the names that they have in the scans.
    fn matching(&self, other: &Tree, pair: &TreePair) -> (String, String) {
        let columns = self.compared(other, pair);
        let changes = self.delta(other);
        let d = self.fresh();
        let union = self.union(&changes, &columns);
        let mixed = changes
            .iter()
            .any(|piece| piece.weight.is_some() || piece.sign != changes[0].sign);
        let rows = if mixed {
            let listed = columns.iter().map(|column| {
                let name = self.name(*column);
                format!("pg_catalog.any_value(u.{name}) AS {name}, ")
            });
            let image: Vec<String> = columns
                .iter()
                .map(|column| format!("u.{}", self.name(*column)))
                .collect();
            let sum = format!("pg_catalog.sum(u.{WEIGHT})");
            let by = if image.is_empty() {
                String::new()
            } else {
                format!(" GROUP BY pgtrickle.row_image(ROW({}))", image.join(", "))
            };
            format!(
                "SELECT {}{sum}::pg_catalog.int8 AS {WEIGHT} FROM ({union}) AS u{by} HAVING {}",
                listed.collect::<String>(),
                op(&sum, "<>", "0")
            )
        } else {
            union
        };
        let item = self.again(&format!("({rows}) AS {d}"), &d, &columns);
        (d, item)
    }

    /// Some columns of changed rows, and their weight.
    fn union(&self, pieces: &[Piece], columns: &[ScanColumn]) -> String {
        let arms = pieces.iter().map(|piece| {
            let mut listed: Vec<String> = Vec::new();
            listed.extend(columns.iter().map(|own| {
                let scan = &self.scans[own.0];
                format!("{} AS {}", column(&scan.alias, &scan.used[own.1].name), self.name(*own))
            }));
            listed.push(format!("{} AS {WEIGHT}", signed(piece)));
            let filter = if piece.filter.is_empty() {
                String::new()
            } else {
                format!(" WHERE {}", and(&piece.filter))
            };
            format!("SELECT {} FROM {}{filter}", listed.join(", "), piece.from)
        });
        arms.collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// A derived table, and its columns under the names that they have in the scans.
    fn again(&self, item: &str, alias: &str, columns: &[ScanColumn]) -> String {
        self.scanned(item, columns, &|own| format!("{alias}.{}", self.name(own)))
    }

    /// Pieces, with NULLs in place of the columns of an input.
    fn with_nulls(&self, pieces: Vec<Piece>, input: &Tree) -> Vec<Piece> {
        let columns = self.columns(input);
        let null = |(scan, n): ScanColumn| self.scans[scan].used[n].null.clone();
        let with = |piece: Piece| Piece {
            from: self.scanned(&piece.from, &columns, &null),
            ..piece
        };
        pieces.into_iter().map(with).collect()
    }

    fn scanned(&self, item: &str, columns: &[ScanColumn], value: &dyn Fn(ScanColumn) -> String) -> String {
        let mut text = item.to_owned();
        let mut scans: Vec<usize> = columns.iter().map(|(scan, _)| *scan).collect();
        scans.dedup();
        for scan in scans {
            let own = columns.iter().filter(|(of, _)| *of == scan);
            let listed = own.map(|own| {
                let name = crate::sql::ident::quote_ident(&self.scans[scan].used[own.1].name);
                format!("{} AS {name}", value(*own))
            });
            let listed = listed.collect::<Vec<_>>().join(", ");
            text.push_str(&format!(
                " CROSS JOIN LATERAL (SELECT {listed}) AS {}",
                self.scans[scan].alias
            ));
        }
        text
    }

    /// All used columns of the visible scans of a tree.
    fn columns(&self, tree: &Tree) -> Vec<ScanColumn> {
        let of = |scan: usize| (0..self.scans[scan].used.len()).map(move |n| (scan, n));
        tree.visible().into_iter().flat_map(of).collect()
    }

    /// The columns of an input that the condition mentions.
    fn compared(&self, input: &Tree, pair: &TreePair) -> Vec<ScanColumn> {
        let scans = input.visible();
        let mut columns: Vec<ScanColumn> = pair.compared.clone();
        columns.retain(|(scan, _)| scans.contains(scan));
        columns.sort_unstable();
        columns
    }

    /// The name of a scan's column in a derived table.
    fn name(&self, (scan, n): ScanColumn) -> String {
        format!("{}_{n}", self.scans[scan].alias)
    }

    fn fresh(&self) -> String {
        self.derived.set(self.derived.get() + 1);
        format!("x{}", self.derived.get())
    }
}

/// The present matches of a row.
struct Matches {
    /// The FROM item of the rows that may match.
    from: String,
    /// The condition.
    on: Vec<String>,
    /// A value that no row lacks, if no index finds the matches.
    hit: Option<String>,
    /// The columns of the row that the condition mentions.
    own: Vec<ScanColumn>,
}

fn dotted(alias: &str, name: &str) -> String {
    format!("{alias}.{name}")
}

/// The weight of a piece's rows, as SQL.
pub fn signed(piece: &Piece) -> String {
    match &piece.weight {
        None => piece.sign.to_string(),
        Some(weight) if piece.sign < 0 => format!("(OPERATOR(pg_catalog.-) ({weight}))"),
        Some(weight) => format!("({weight})"),
    }
}

fn restricted(pieces: Vec<Piece>, conditions: &[String]) -> Vec<Piece> {
    let with = |piece: Piece| Piece {
        filter: [piece.filter, conditions.to_vec()].concat(),
        ..piece
    };
    pieces.into_iter().map(with).collect()
}
