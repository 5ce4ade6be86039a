//! Tokens of the node notation.
//!
//! Space, tab and newline separate tokens; each of `( ) { }` is a token by itself; a backslash takes the next
//! character literally. An unescaped `<>` is the null pointer.

use std::borrow::Cow;

/// A token, as a range of bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    /// `<>`
    Null,
    /// Anything else, with its escapes.
    Word,
}

/// Splits a text into tokens.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
}

fn separates(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t')
}

fn single(byte: u8) -> Option<TokenKind> {
    match byte {
        b'{' => Some(TokenKind::OpenBrace),
        b'}' => Some(TokenKind::CloseBrace),
        b'(' => Some(TokenKind::OpenParen),
        b')' => Some(TokenKind::CloseParen),
        _ => None,
    }
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Lexer {
            bytes: text.as_bytes(),
            position: 0,
        }
    }

    /// The byte position from which the next token is searched.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next token, without consuming it.
    pub fn peek(&self) -> Option<Token> {
        self.clone().next()
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = &self.bytes[self.position..];
        let start = self.position + rest.iter().position(|&byte| !separates(byte))?;
        let first = self.bytes[start];
        if let Some(kind) = single(first) {
            self.position = start + 1;
            return Some(Token {
                kind,
                start,
                end: start + 1,
            });
        }
        let mut end = start;
        while let Some(&byte) = self.bytes.get(end) {
            if separates(byte) || single(byte).is_some() {
                break;
            }
            end += if byte == b'\\' { 2 } else { 1 };
        }
        // A backslash at the end of the text stands for itself. One before a multi-byte character takes only its first
        // byte.
        end = end.min(self.bytes.len());
        self.position = end;
        let kind = if &self.bytes[start..end] == b"<>" {
            TokenKind::Null
        } else {
            TokenKind::Word
        };
        Some(Token { kind, start, end })
    }
}

/// The text of a token without the escaping backslashes.
pub(super) fn unescape(token: &str) -> Cow<'_, str> {
    if !token.contains('\\') {
        return Cow::Borrowed(token);
    }
    let mut result = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => result.push(characters.next().unwrap_or('\\')),
            _ => result.push(character),
        }
    }
    Cow::Owned(result)
}
