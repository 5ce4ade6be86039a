//! XML expressions.

use super::{Reader, pick};
use crate::error::Error;
use crate::node::Node;
use crate::query::{Expr, Xml, XmlOp};

impl Reader {
    #[inline(never)]
    pub(super) fn xml(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Xml(Box::new(Xml {
            op: pick(
                node,
                "op",
                &[
                    XmlOp::Concat,
                    XmlOp::Element,
                    XmlOp::Forest,
                    XmlOp::Parse,
                    XmlOp::Pi,
                    XmlOp::Root,
                    XmlOp::Serialize,
                    XmlOp::IsDocument,
                ],
            )?,
            name: node.string("name")?,
            named_args: self.exprs(node, "named_args")?,
            arg_names: node.strings("arg_names")?,
            args: self.exprs(node, "args")?,
            document: pick(node, "xmloption", &[true, false])?,
            indent: node.bool("indent")?,
            type_oid: node.number("type")?,
            typmod: node.number("typmod")?,
        })))
    }
}
