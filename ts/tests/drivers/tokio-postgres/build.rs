//! The version of tokio-postgres that is locked, for the report.

fn main() {
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = lock.split("name = \"tokio-postgres\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    println!("cargo:rustc-env=TOKIO_POSTGRES_VERSION={}", version.unwrap_or("?"));
    println!("cargo:rerun-if-changed=Cargo.lock");
}
