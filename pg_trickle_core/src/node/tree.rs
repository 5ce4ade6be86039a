//! The arena of a parsed text: all values in one vector, parents before children.
//!
//! Each entry has its byte range in the text and the index at which its subtree ends. So siblings are one jump apart,
//! and nothing is copied out of the text. The parser keeps its own stack, so no input can exhaust the program's.

use super::lexer::{Lexer, Token, TokenKind};
use crate::error::Error;

/// How deep braces and parentheses may nest.
///
/// Readers and writers of trees recurse, on a stack that is small in WebAssembly. An operator in an operator's argument
/// takes two levels, and a subquery three. PGlite's own parser cannot go much further.
pub const MAX_DEPTH: usize = 1000;

/// A text, and the structure found in it.
#[derive(Debug)]
pub struct Tree<'a> {
    pub(super) text: &'a str,
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub shape: Shape,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// Index of the first entry that is not a descendant.
    pub next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `<>`
    Null,
    /// A single token: number, boolean, character, name or quoted string.
    Word,
    /// The bytes of a constant: `4 [ 1 0 0 0 ]`.
    Datum,
    /// `( .. )`; its children are the items.
    List,
    /// `{LABEL .. }`; its children are the fields.
    Node,
    /// `:name`; its only child is the value.
    Field,
}

/// What encloses the parser's position.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    List,
    Node,
    Field,
}

impl<'a> Tree<'a> {
    /// Parses one value.
    ///
    /// # Errors
    /// [`Error::Tree`] says what is wrong, and at which byte.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::Tree("the text is too long".to_owned()));
        }
        let mut parser = Parser {
            text,
            lexer: Lexer::new(text),
            // Tokens take about six bytes, and most of them become an entry.
            entries: Vec::with_capacity(text.len() / 6),
            open: Vec::new(),
            depth: 0,
        };
        parser.run()?;
        // After all values of the text comes the node that `Node::nothing` returns.
        parser.leaf(Shape::Node, 0, 0);
        Ok(Tree {
            text,
            entries: parser.entries,
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    entries: Vec<Entry>,
    /// The open entries, innermost last.
    open: Vec<(Inside, usize)>,
    depth: usize,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Error> {
        loop {
            let token = self.token()?;
            match self.open.last() {
                Some(&(Inside::Node, index)) => self.in_node(token, index)?,
                Some(&(Inside::List, index)) if token.kind == TokenKind::CloseParen => {
                    self.close(index, token.end);
                }
                Some(_) | None => self.value(token)?,
            }
            // A field is complete once it has one value.
            while let Some(&(Inside::Field, index)) = self.open.last()
                && self.entries.len() > index + 1
            {
                let end = self.entries[index + 1].end as usize;
                self.close(index, end);
            }
            if self.open.is_empty() {
                break;
            }
        }
        match self.lexer.next() {
            None => Ok(()),
            Some(token) => Err(self.unexpected(token)),
        }
    }

    fn in_node(&mut self, token: Token, index: usize) -> Result<(), Error> {
        match token.kind {
            TokenKind::CloseBrace => {
                self.close(index, token.end);
                Ok(())
            }
            TokenKind::Word if self.text.as_bytes()[token.start] == b':' => {
                self.open(Inside::Field, Shape::Field, token);
                Ok(())
            }
            // The tree of a text that is not analysed has words without a field: the kind of an A_EXPR, NULL of an A_CONST.
            TokenKind::Word => Ok(()),
            _ => Err(self.unexpected(token)),
        }
    }

    fn value(&mut self, token: Token) -> Result<(), Error> {
        match token.kind {
            TokenKind::Null => self.leaf(Shape::Null, token.start, token.end),
            TokenKind::Word => self.word(token)?,
            TokenKind::OpenParen => {
                self.deeper()?;
                self.open(Inside::List, Shape::List, token);
            }
            TokenKind::OpenBrace => {
                self.deeper()?;
                self.open(Inside::Node, Shape::Node, token);
                let label = self.token()?;
                let adjoins = label.start == token.end;
                if label.kind != TokenKind::Word || !adjoins {
                    return Err(self.unexpected(label));
                }
            }
            TokenKind::CloseBrace | TokenKind::CloseParen => return Err(self.unexpected(token)),
        }
        Ok(())
    }

    /// A word, or the bytes of a constant if a bracket follows.
    fn word(&mut self, token: Token) -> Result<(), Error> {
        let in_field = matches!(self.open.last(), Some((Inside::Field, _)));
        let bracket = in_field
            && self
                .lexer
                .peek()
                .is_some_and(|next| &self.text[next.start..next.end] == "[");
        if !bracket {
            self.leaf(Shape::Word, token.start, token.end);
            return Ok(());
        }
        loop {
            let next = self.token()?;
            if next.kind != TokenKind::Word {
                return Err(self.unexpected(next));
            }
            if &self.text[next.start..next.end] == "]" {
                self.leaf(Shape::Datum, token.start, next.end);
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, Error> {
        self.lexer
            .next()
            .ok_or_else(|| Error::Tree(format!("the text ends early, at byte {}", self.lexer.position())))
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Tree(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation)] // `parse` rejects texts whose offsets do not fit.
    fn leaf(&mut self, shape: Shape, start: usize, end: usize) {
        self.entries.push(Entry {
            shape,
            start: start as u32,
            end: end as u32,
            next: self.entries.len() as u32 + 1,
        });
    }

    fn open(&mut self, inside: Inside, shape: Shape, token: Token) {
        self.open.push((inside, self.entries.len()));
        self.leaf(shape, token.start, token.end);
    }

    #[allow(clippy::cast_possible_truncation)] // as in `leaf`: there is at most one entry per byte
    fn close(&mut self, index: usize, end: usize) {
        self.open.pop();
        let next = self.entries.len() as u32;
        let entry = &mut self.entries[index];
        entry.end = end as u32;
        entry.next = next;
        if entry.shape != Shape::Field {
            self.depth -= 1;
        }
    }

    fn unexpected(&self, token: Token) -> Error {
        let shown: String = self.text[token.start..token.end].chars().take(40).collect();
        Error::Tree(format!("unexpected \"{shown}\" at byte {}", token.start))
    }
}
