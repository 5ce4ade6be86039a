#!/usr/bin/env bash
# rust-embedded.sh [OPTION...]: builds examples/rust-embedded and runs it, with the extension of build/native, where cargo, gcc
# and PostgreSQL 18 are. Its status is 75 where that cannot be: the crates, or a C library for PostgreSQL's, cannot be had.
#
#   rust-embedded.sh --twice      keeps the database, and goes on with it in a second process
#   rust-embedded.sh --measure    the times of docs/HOSTS.md
#   PG_TRICKLE_NATIVE             another folder of the checkout than build/native: build/native-dev
source "$(dirname "$0")/lib.sh"
if [ "${1:-}" != --inside ]; then
  exec "$repo/ci/native.sh" ci/rust-embedded.sh --inside "${PG_TRICKLE_NATIVE:-build/native}" "$@"
fi
export PG_TRICKLE_FOLDER=$repo/$2/pg18
shift 2

cannot() {
  say "examples/rust-embedded cannot run here: $*"
  exit 75
}

target=$repo/build/rust-embedded
program=debug/rust-embedded
cargo=(cargo build --quiet --locked --target-dir "$target")
runs=1
case ${1:-} in
  --twice)
    shift
    runs=2
    set -- --data data "$@"
    ;;
  --measure)
    program=release/measure
    cargo+=(--release)
    runs=2
    set -- data
    ;;
esac

# What its PostgreSQL was linked with.
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2)
version_at_least "${glibc:-0}" 2.38 || cannot "its PostgreSQL needs glibc 2.38, and this is ${glibc:-another C library}"
cd "$repo/examples/rust-embedded"
host=$(rustc -vV | sed -n 's/^host: //p')
fetched=$(cargo fetch --quiet --locked --target "$host" 2>&1) || {
  # A lock file that is out of date is an error, and nothing that a machine lacks.
  [[ $fetched != *--locked* ]] || die "$fetched"
  cannot "cargo does not get its crates: $fetched"
}
step 'PostgreSQL 18 in a Rust program' "${cargo[@]}"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
# PostgreSQL is unpacked there by the first run.
export OLIPHAUNT_RUNTIME_CACHE_DIR=$target/cache HOME=$home TMPDIR=$home
mkdir -p "$target/cache"
as_nobody=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL makes no database as root.
  as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
  chown -R nobody:nogroup "$home" "$target/cache"
fi
cd "$home"
for _ in $(seq "$runs"); do
  "${as_nobody[@]}" "$target/$program" "$@"
done
