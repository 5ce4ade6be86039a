//! The operators of a stage, for `explain`.

/// An operator and its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorTree {
    /// The operator's name, and what it works on.
    pub label: String,
    /// The operators below it.
    pub inputs: Vec<OperatorTree>,
}

impl OperatorTree {
    /// An operator over others.
    pub fn new(label: String, inputs: Vec<OperatorTree>) -> Self {
        OperatorTree { label, inputs }
    }

    /// The tree as indented lines, root first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.write(0, &mut lines);
        lines
    }

    fn write(&self, depth: usize, lines: &mut Vec<String>) {
        lines.push(format!("{}{}", "  ".repeat(depth), self.label));
        for input in &self.inputs {
            input.write(depth + 1, lines);
        }
    }
}
