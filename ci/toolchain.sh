#!/usr/bin/env bash
# toolchain.sh COMMAND...: runs COMMAND in the checkout with emcc, wasm-opt, cargo (able to build std) and the
# variable PG_HEADERS, a folder that holds the server headers as $PG_HEADERS/18/usr/include/postgresql/18/server.
#
# The tools of PATH are used when they are all there and new enough: Emscripten 6.0, Rust 1.97 with rust-src,
# binaryen 120, zopfli, and $PG_HEADERS with the unpacked armhf packages postgresql-server-dev-17 and -18.
# Otherwise the Debian root of make-root.sh is used, and made if need be.
source "$(dirname "$0")/lib.sh"

# The first version number that a program prints.
version_of() { "$@" 2>/dev/null </dev/null | grep -o -m 1 -E '[0-9]+(\.[0-9]+)*' | head -n 1; }

tools_on_path() {
  local major
  for tool in emcc emnm wasm-opt cargo rustc zopfli; do
    command -v "$tool" >/dev/null || return 1
  done
  version_at_least "$(version_of emcc --version)" 6.0 || return 1
  version_at_least "$(version_of wasm-opt --version)" 120 || return 1
  version_at_least "$(version_of rustc --version)" 1.97 || return 1
  [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ] || return 1
  for major in "${pg_majors[@]}"; do
    [ -e "${PG_HEADERS:-/nonexistent}/$major/usr/include/postgresql/$major/server/postgres.h" ] || return 1
  done
}

cd "$repo"
if tools_on_path; then
  exec "$@"
fi
root=$("$repo/ci/make-root.sh")
MOUNT_REPO=$repo exec "$repo/ci/enter-root.sh" "$root" env PG_HEADERS=/opt/pg "$@"
