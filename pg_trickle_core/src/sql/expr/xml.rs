//! XML expressions.

use super::Printer;
use crate::error::Error;
use crate::query::{Const, Expr, Xml, XmlOp};
use crate::sql::ident::quote_ident;

impl Printer<'_> {
    /// `XMLELEMENT` and similar.
    #[inline(never)]
    pub(super) fn xml(&self, xml: &Xml) -> Result<String, Error> {
        let kind = if xml.document { "DOCUMENT" } else { "CONTENT" };
        match xml.op {
            XmlOp::Concat => Ok(format!("XMLCONCAT({})", self.list(&xml.args)?)),
            XmlOp::Element => self.xml_element(xml),
            XmlOp::Forest => Ok(format!("XMLFOREST({})", self.named(xml)?)),
            XmlOp::Parse => {
                let (value, preserve) = (self.arg(xml, 0)?, constant(xml, 1)?);
                let space = if preserve.int4().is_some_and(|value| value & 0xff != 0) {
                    "PRESERVE"
                } else {
                    "STRIP"
                };
                Ok(format!("XMLPARSE({kind} {value} {space} WHITESPACE)"))
            }
            XmlOp::Pi => {
                let mut text = format!("XMLPI(NAME {}", xml_name(xml)?);
                if !xml.args.is_empty() {
                    text.push_str(&format!(", {}", self.list(&xml.args)?));
                }
                text.push(')');
                Ok(text)
            }
            XmlOp::Root => self.xml_root(xml),
            XmlOp::Serialize => {
                let type_sql = self.catalog.type_sql(xml.type_oid, xml.typmod)?;
                let indent = if xml.indent { " INDENT" } else { "" };
                Ok(format!(
                    "XMLSERIALIZE({kind} {} AS {type_sql}{indent})",
                    self.arg(xml, 0)?
                ))
            }
            XmlOp::IsDocument => Ok(format!("({} IS DOCUMENT)", self.arg(xml, 0)?)),
        }
    }

    fn xml_element(&self, xml: &Xml) -> Result<String, Error> {
        let mut text = format!("XMLELEMENT(NAME {}", xml_name(xml)?);
        if !xml.named_args.is_empty() {
            text.push_str(&format!(", XMLATTRIBUTES({})", self.named(xml)?));
        }
        if !xml.args.is_empty() {
            text.push_str(&format!(", {}", self.list(&xml.args)?));
        }
        text.push(')');
        Ok(text)
    }

    fn xml_root(&self, xml: &Xml) -> Result<String, Error> {
        let version = match xml.args.get(1) {
            Some(Expr::Const(version)) if version.is_null => "NO VALUE".to_owned(),
            _ => self.arg(xml, 1)?,
        };
        // XmlStandaloneType; XML_STANDALONE_OMITTED adds nothing.
        let standalone = match constant(xml, 2)?.int4() {
            Some(0) => ", STANDALONE YES",
            Some(1) => ", STANDALONE NO",
            Some(2) => ", STANDALONE NO VALUE",
            _ => "",
        };
        Ok(format!("XMLROOT({}, VERSION {version}{standalone})", self.arg(xml, 0)?))
    }

    fn arg(&self, xml: &Xml, position: usize) -> Result<String, Error> {
        match xml.args.get(position) {
            Some(arg) => self.expr(arg),
            None => Err(Error::Tree("an XML expression without a value".to_owned())),
        }
    }

    /// `value AS name, ...`.
    fn named(&self, xml: &Xml) -> Result<String, Error> {
        let texts: Vec<String> = xml
            .named_args
            .iter()
            .zip(&xml.arg_names)
            .map(|(value, name)| Ok(format!("{} AS {}", self.expr(value)?, quote_ident(&unescaped(name)))))
            .collect::<Result<_, Error>>()?;
        Ok(texts.join(", "))
    }
}

fn constant(xml: &Xml, position: usize) -> Result<&Const, Error> {
    match xml.args.get(position) {
        Some(Expr::Const(constant)) => Ok(constant),
        _ => Err(Error::Tree("an XML option that is not a constant".to_owned())),
    }
}

fn xml_name(xml: &Xml) -> Result<String, Error> {
    match &xml.name {
        Some(name) => Ok(quote_ident(&unescaped(name))),
        None => Err(Error::Tree("an XML element without a name".to_owned())),
    }
}

/// The SQL identifier behind an XML name, where `_xHHHH_` stands for a character that XML names cannot have.
fn unescaped(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some(start) = rest.find("_x") {
        let (before, escape) = rest.split_at(start);
        text.push_str(before);
        let digits = escape[2..].split('_').next().unwrap_or_default();
        let decoded = u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.len() >= 4 && escape[2 + digits.len()..].starts_with('_'))
            .and_then(char::from_u32);
        match decoded {
            Some(character) => {
                text.push(character);
                rest = &escape[digits.len() + 3..];
            }
            None => {
                text.push_str("_x");
                rest = &escape[2..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn names_are_unescaped() {
        assert_eq!(unescaped("a_x0020_b"), "a b");
        assert_eq!(unescaped("_x005F_x0020_"), "_x0020_");
        assert_eq!(unescaped("_xyz"), "_xyz");
        assert_eq!(unescaped("_x1F600_"), "\u{1F600}");
        assert_eq!(unescaped("été_x"), "été_x");
    }
}
