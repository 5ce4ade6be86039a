//! The trees that PostgreSQL 17 and 18 stored for the views of the fixtures, in `tests/fixtures`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The folder of the tests.
pub fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The trees of one server, by the name of their view.
pub fn trees(version: &str) -> BTreeMap<String, String> {
    fs::read_dir(tests().join("fixtures").join(version))
        .expect("the directory is there")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(&path).expect("readable"))
        })
        .collect()
}

/// The tree of one view, if the server has it.
pub fn tree(version: &str, view: &str) -> Option<String> {
    fs::read_to_string(tests().join("fixtures").join(version).join(format!("{view}.txt"))).ok()
}
