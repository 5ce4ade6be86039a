//! The fields of a node, as the reader takes them.
//!
//! The reader keeps the first error in a tree and goes on with default values; `read_view` discards the result. So no
//! function has to return early from the middle of a node, which for nodes with so many fields would be most of the
//! code.

use super::Reader;
use crate::error::Error;
use crate::node::{Node, Value};

impl Reader {
    /// Keeps the first error.
    #[cold]
    pub(super) fn fail(&mut self, failure: Error) {
        self.failure.get_or_insert(failure);
    }

    /// Reports a field with an unknown value of an enumeration.
    #[cold]
    #[inline(never)]
    pub(super) fn unknown(&mut self, node: Node<'_>, field: &str, value: impl std::fmt::Display) {
        self.fail(node.bad(field, &format!("has the unknown value {value}")));
    }

    fn kept<T: Default>(&mut self, read: Result<T, Error>) -> T {
        match read {
            Ok(value) => value,
            Err(failure) => {
                self.fail(failure);
                T::default()
            }
        }
    }

    /// Checks that a node is of the kind that belongs in its place.
    #[inline(never)]
    pub(super) fn expect(&mut self, node: Node<'_>, label: &str) {
        if node.label() != label {
            self.fail(Error::Tree(format!("found a {} where a {label} belongs", node.label())));
        }
    }

    #[inline(never)]
    pub(super) fn flag(&mut self, node: Node<'_>, field: &str) -> bool {
        let read = node.bool(field);
        self.kept(read)
    }

    #[inline(never)]
    pub(super) fn number<T: TryFrom<i64> + Default>(&mut self, node: Node<'_>, field: &str) -> T {
        let read = node.number(field);
        self.kept(read)
    }

    #[inline(never)]
    pub(super) fn numbers<T: TryFrom<i64>>(&mut self, node: Node<'_>, field: &str) -> Vec<T> {
        let read = node.numbers(field);
        self.kept(read)
    }

    #[inline(never)]
    pub(super) fn char(&mut self, node: Node<'_>, field: &str) -> char {
        let read = node.char(field);
        self.kept(read)
    }

    /// A string that may be null.
    #[inline(never)]
    pub(super) fn string(&mut self, node: Node<'_>, field: &str) -> Option<String> {
        let read = node.string(field);
        self.kept(read)
    }

    /// A string that must not be null.
    #[inline(never)]
    pub(super) fn name(&mut self, node: Node<'_>, field: &str) -> String {
        let read = node.name(field);
        self.kept(read)
    }

    #[inline(never)]
    pub(super) fn strings(&mut self, node: Node<'_>, field: &str) -> Vec<String> {
        let read = node.strings(field);
        self.kept(read)
    }

    /// The element of `values` that the number of a C enumeration stands for.
    #[inline(never)]
    pub(super) fn pick<T: Copy>(&mut self, node: Node<'_>, field: &str, values: &[T]) -> T {
        let number: usize = self.number(node, field);
        values.get(number).copied().unwrap_or_else(|| {
            self.unknown(node, field, number);
            values[0]
        })
    }

    /// Like [`Self::pick`], for an enumeration that starts at 1.
    #[inline(never)]
    pub(super) fn pick_from_1<T: Copy>(&mut self, node: Node<'_>, field: &str, values: &[T]) -> T {
        let number: usize = self.number(node, field);
        values.get(number.wrapping_sub(1)).copied().unwrap_or_else(|| {
            self.unknown(node, field, number);
            values[0]
        })
    }

    /// A node that may be null.
    #[inline(never)]
    pub(super) fn child<'t>(&mut self, node: Node<'t>, field: &str) -> Option<Node<'t>> {
        let read = node.child(field);
        self.kept(read)
    }

    /// A node that must not be null; if it is, a node without fields.
    #[inline(never)]
    pub(super) fn node<'t>(&mut self, node: Node<'t>, field: &str) -> Node<'t> {
        node.node(field).unwrap_or_else(|failure| {
            self.fail(failure);
            node.nothing()
        })
    }

    /// What a node that must not be null holds.
    pub(super) fn inner<'t, T>(&mut self, node: Node<'t>, field: &str, read: fn(&mut Self, Node<'t>) -> T) -> T {
        let inner = self.node(node, field);
        read(self, inner)
    }

    /// What a node that may be null holds.
    pub(super) fn opt<'t, T>(&mut self, node: Node<'t>, field: &str, read: fn(&mut Self, Node<'t>) -> T) -> Option<T> {
        self.child(node, field).map(|inner| read(self, inner))
    }

    #[inline(never)]
    pub(super) fn items<'t>(&mut self, node: Node<'t>, field: &str) -> Vec<Value<'t>> {
        let read = node.list(field).map(Iterator::collect);
        self.kept(read)
    }

    /// Reads every node of a list.
    pub(super) fn each<'t, T>(&mut self, node: Node<'t>, field: &str, read: fn(&mut Self, Node<'t>) -> T) -> Vec<T> {
        // A plain loop: iterator adapters would take stack space at every level.
        let nodes = node.nodes(field);
        let mut items = Vec::new();
        for item in self.kept(nodes) {
            items.push(read(self, item));
        }
        items
    }
}
