//! The keys that a change to linear blocks touches: those of the inserted and the deleted rows.

use super::block::Part;
use super::inner_join::keyed_choices;
use super::scan::Version;
use crate::maintain::rekey::{TouchedKeys, key_column};
use crate::plan::Change;

/// Keys that are the values of linear blocks.
pub struct KeysOfBlocks(pub Vec<Part>);

impl TouchedKeys for KeysOfBlocks {
    fn selects(&self, changes: &[Change]) -> Vec<String> {
        let mut selects = Vec::new();
        for part in &self.0 {
            let names: Vec<String> = (0..part.values.len()).map(key_column).collect();
            let changed = part.block.changed(changes);
            let mut choices = keyed_choices(&changed);
            for (_, versions) in &mut choices {
                for (_, version) in versions {
                    if *version == Version::Renewed {
                        *version = Version::New;
                    }
                }
            }
            let terms = part.block.terms(&changed, &choices, |_| part.columns(&names));
            selects.extend(terms.iter().map(|term| term.select.to_string()));
        }
        selects
    }
}
