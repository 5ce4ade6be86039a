//! PostgreSQL 18 in this process, with stream tables.

use std::path::{Path, PathBuf};

use oliphaunt::{DatabaseStorage, Oliphaunt};

/// What any step here can fail with.
pub type Failure = Box<dyn std::error::Error>;

/// The folder that `ci/build-native.sh` has filled: `$PG_TRICKLE_FOLDER`, or that of this checkout.
pub fn extension_folder() -> Result<PathBuf, Failure> {
    let folder = std::env::var_os("PG_TRICKLE_FOLDER").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build/native/pg18"),
        PathBuf::from,
    );
    let control = folder.join("share/extension/pg_trickle.control");
    if !control.exists() {
        return Err(format!(
            "there is no {}: run `just native`, or set PG_TRICKLE_FOLDER",
            control.display()
        )
        .into());
    }
    Ok(folder.canonicalize()?)
}

/// Opens a database that finds the extension where it was built: in the folder `data`, or in a temporary one, which goes
/// when the database is closed.
pub fn open(extension: &Path, data: Option<PathBuf>) -> Result<Oliphaunt, Failure> {
    let extension = extension.display();
    Ok(Oliphaunt::builder()
        .direct()
        .storage(data.map_or(DatabaseStorage::TemporaryDirectory, DatabaseStorage::Directory))
        .startup_guc("extension_control_path", format!("{extension}/share:$system"))
        .startup_guc("dynamic_library_path", format!("{extension}/lib:$libdir"))
        // So that it sees every command from the first on.
        .startup_guc("session_preload_libraries", "pg_trickle")
        // Errors come back as results. They need not be printed, too.
        .startup_guc("log_min_messages", "fatal")
        .open()?)
}

/// Makes a stream table.
pub fn create(db: &mut Oliphaunt, name: &str, query: &str) -> Result<(), Failure> {
    db.query_with_params("SELECT pgtrickle.create_stream_table($1, $2)", [name, query])?;
    Ok(())
}

/// The one value that a query gives, as a text.
pub fn value(db: &mut Oliphaunt, query: &str) -> Result<String, Failure> {
    let result = db.query(query)?;
    let row = result.row(0).ok_or("no row")?;
    Ok(row.text(0)?.unwrap_or("NULL").to_owned())
}
