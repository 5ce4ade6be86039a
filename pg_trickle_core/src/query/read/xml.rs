//! XML expressions.

use super::Reader;
use crate::node::Node;
use crate::query::{Expr, Xml, XmlOp};

impl Reader {
    #[inline(never)]
    pub(super) fn xml(&mut self, node: Node<'_>) -> Expr {
        Expr::Xml(Box::new(Xml {
            op: self.pick(
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
            ),
            name: self.string(node, "name"),
            named_args: self.exprs(node, "named_args"),
            arg_names: self.strings(node, "arg_names"),
            args: self.exprs(node, "args"),
            document: self.pick(node, "xmloption", &[true, false]),
            indent: self.flag(node, "indent"),
            type_oid: self.number(node, "type"),
            typmod: self.number(node, "typmod"),
        }))
    }
}
