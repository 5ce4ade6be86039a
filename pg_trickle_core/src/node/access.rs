//! Access to the generic tree: values, nodes, and fields by name.
//!
//! Every accessor names the node and the field it failed on, so that a field renamed by a server version is easy to
//! spot.

use super::lexer::unescape;
use super::tree::{Entry, Shape, Tree};
use crate::error::Error;

/// A value in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Value<'t> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) index: usize,
}

/// A `{LABEL :field value ..}`.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    value: Value<'t>,
}

/// The values of a list, in order.
#[derive(Clone, Debug)]
pub struct Items<'t> {
    tree: &'t Tree<'t>,
    next: usize,
    end: usize,
}

impl Tree<'_> {
    /// The value that the text holds.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { tree: self, index: 0 }
    }

    /// The values of a text that is a list, such as `ev_action`.
    ///
    /// # Errors
    /// [`Error::Tree`] if the text is anything else.
    pub fn items(&self) -> Result<Items<'_>, Error> {
        self.root()
            .items()
            .ok_or_else(|| Error::Tree("the tree is not a list".to_owned()))
    }
}

impl<'t> Value<'t> {
    fn entry(self) -> Entry {
        self.tree.entries[self.index]
    }

    /// The text of the value, as stored.
    #[must_use]
    pub fn raw(self) -> &'t str {
        let entry = self.entry();
        &self.tree.text[entry.start as usize..entry.end as usize]
    }

    /// The byte range of the value in the text.
    #[must_use]
    pub fn span(self) -> std::ops::Range<usize> {
        let entry = self.entry();
        entry.start as usize..entry.end as usize
    }

    /// Whether the value is the null pointer.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.entry().shape == Shape::Null
    }

    /// The value as a node.
    #[must_use]
    pub fn node(self) -> Option<Node<'t>> {
        (self.entry().shape == Shape::Node).then_some(Node { value: self })
    }

    /// The value as a list; the null pointer is the empty list.
    ///
    /// The letter that marks lists of numbers (`(i 1 2)`) is not an item.
    #[must_use]
    pub fn items(self) -> Option<Items<'t>> {
        let entry = self.entry();
        match entry.shape {
            Shape::Null => Some(Items {
                tree: self.tree,
                next: 0,
                end: 0,
            }),
            Shape::List => {
                let mut items = Items {
                    tree: self.tree,
                    next: self.index + 1,
                    end: entry.next as usize,
                };
                if let Some(first) = items.clone().next()
                    && matches!(first.word(), Some("i" | "o" | "x" | "b"))
                {
                    items.next();
                }
                Some(items)
            }
            _ => None,
        }
    }

    /// The value as a token, with its escapes.
    fn word(self) -> Option<&'t str> {
        (self.entry().shape == Shape::Word).then(|| self.raw())
    }

    /// The value as a quoted string (a String node), without quotes and escapes.
    #[must_use]
    pub fn string(self) -> Option<String> {
        let inner = self.word()?.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescape(inner).into_owned())
    }

    /// The value as a number.
    #[must_use]
    pub fn number<T: TryFrom<i64>>(self) -> Option<T> {
        self.integer()?.try_into().ok()
    }

    #[inline(never)]
    fn integer(self) -> Option<i64> {
        self.word()?.parse().ok()
    }

    /// The value as a list of nodes.
    #[must_use]
    pub fn nodes(self) -> Option<Vec<Node<'t>>> {
        self.items()?.map(Value::node).collect()
    }
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value {
            tree: self.tree,
            index: self.next,
        };
        self.next = value.entry().next as usize;
        Some(value)
    }
}

impl<'t> Node<'t> {
    /// The node's kind, e.g. `OPEXPR`.
    #[must_use]
    pub fn label(self) -> &'t str {
        let inner = self.value.raw().get(1..).unwrap_or_default();
        let end = inner
            .find(|character: char| " \n\t(){}".contains(character))
            .unwrap_or(inner.len());
        &inner[..end]
    }

    /// A node of the same tree without label and fields.
    #[must_use]
    pub fn nothing(self) -> Self {
        let tree = self.value.tree;
        let index = tree.entries.len() - 1;
        Node {
            value: Value { tree, index },
        }
    }

    /// The whole text of the node, including the braces.
    #[must_use]
    pub fn raw(self) -> &'t str {
        self.value.raw()
    }

    /// The byte range of the node in the text.
    #[must_use]
    pub fn span(self) -> std::ops::Range<usize> {
        self.value.span()
    }

    /// The fields in order, with their names.
    pub fn fields(self) -> impl Iterator<Item = (&'t str, Value<'t>)> {
        let tree = self.value.tree;
        Items {
            tree,
            next: self.value.index + 1,
            end: self.value.entry().next as usize,
        }
        .map(move |field| {
            let value = Value {
                tree,
                index: field.index + 1,
            };
            // The text of a field is `:name value`.
            let name = &tree.text[field.entry().start as usize + 1..value.entry().start as usize];
            (name.trim_end(), value)
        })
    }

    /// The value of a field that only some servers write.
    #[must_use]
    pub fn get(self, field: &str) -> Option<Value<'t>> {
        self.fields().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// The value of a field.
    ///
    /// # Errors
    /// [`Error::Tree`] if the node has no such field. All accessors below fail in the same way, and also if
    /// the value is not of their type.
    #[inline(never)]
    pub fn value(self, field: &str) -> Result<Value<'t>, Error> {
        self.get(field).ok_or_else(|| self.bad(field, "is missing"))
    }

    /// An error that names a field of this node.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn bad(self, field: &str, problem: &str) -> Error {
        Error::Tree(format!("field {field} of {} {problem}", self.label()))
    }

    fn parsed<T>(self, field: &str, expected: &str, parse: impl FnOnce(Value<'t>) -> Option<T>) -> Result<T, Error> {
        let value = self.value(field)?;
        parse(value).ok_or_else(|| self.unlike(field, expected, value))
    }

    #[cold]
    #[inline(never)]
    fn unlike(self, field: &str, expected: &str, value: Value<'t>) -> Error {
        let shown: String = value.raw().chars().take(40).collect();
        self.bad(field, &format!("is not a {expected}: {shown}"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn bool(self, field: &str) -> Result<bool, Error> {
        self.parsed(field, "boolean", |value| value.word()?.parse().ok())
    }

    /// A number; OIDs are `u32`, attribute numbers `i16`.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn number<T: TryFrom<i64>>(self, field: &str) -> Result<T, Error> {
        self.parsed(field, "number in range", Value::number)
    }

    /// A single character. The zero byte is written as the null pointer.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn char(self, field: &str) -> Result<char, Error> {
        self.parsed(field, "character", |value| {
            if value.is_null() {
                return Some('\0');
            }
            let text = unescape(value.word()?);
            let mut characters = text.chars();
            let first = characters.next()?;
            characters.next().is_none().then_some(first)
        })
    }

    /// A C string, which may be null.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn string(self, field: &str) -> Result<Option<String>, Error> {
        self.parsed(field, "string", |value| {
            if value.is_null() {
                return Some(None);
            }
            match value.word()? {
                "\"\"" => Some(Some(String::new())),
                word => Some(Some(unescape(word).into_owned())),
            }
        })
    }

    /// A C string that must not be null.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn name(self, field: &str) -> Result<String, Error> {
        self.string(field)?.ok_or_else(|| self.bad(field, "is null"))
    }

    /// A node, which may be null.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn child(self, field: &str) -> Result<Option<Node<'t>>, Error> {
        self.parsed(field, "node", |value| {
            if value.is_null() {
                return Some(None);
            }
            value.node().map(Some)
        })
    }

    /// A node that must not be null.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn node(self, field: &str) -> Result<Node<'t>, Error> {
        self.parsed(field, "node", Value::node)
    }

    /// The items of a list.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn list(self, field: &str) -> Result<Items<'t>, Error> {
        self.parsed(field, "list", Value::items)
    }

    /// The items of a list of nodes.
    ///
    /// # Errors
    /// As [`Node::value`], and if an item is not a node.
    pub fn nodes(self, field: &str) -> Result<Vec<Node<'t>>, Error> {
        self.parsed(field, "list of nodes", Value::nodes)
    }

    /// A list of numbers, or a Bitmapset.
    ///
    /// # Errors
    /// As [`Node::value`], and if an item is not such a number.
    pub fn numbers<T: TryFrom<i64>>(self, field: &str) -> Result<Vec<T>, Error> {
        self.parsed(field, "list of numbers", |value| {
            value.items()?.map(Value::number).collect()
        })
    }

    /// A list of strings.
    ///
    /// # Errors
    /// As [`Node::value`], and if an item is not a string.
    pub fn strings(self, field: &str) -> Result<Vec<String>, Error> {
        self.parsed(field, "list of strings", |value| {
            value.items()?.map(Value::string).collect()
        })
    }
}
