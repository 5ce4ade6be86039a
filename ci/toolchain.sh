#!/usr/bin/env bash
# toolchain.sh COMMAND...: runs COMMAND in the checkout with emcc, wasm-opt, wasm-bindgen, cargo (able to build std) and the
# variable PG_HEADERS, a folder that holds the server headers as $PG_HEADERS/18/usr/include/postgresql/18/server.
#
# The tools of PATH are used when they are all there and new enough: docs/BUILDING.md says which. Otherwise the Debian
# root of make-root.sh is used, and made if need be.
source "$(dirname "$0")/lib.sh"

# at_least NAME WANTED FOUND: says what is too old, or not there at all.
at_least() {
  if [ -z "$3" ]; then
    echo "$1 is not on PATH"
  elif ! version_at_least "$3" "$2"; then
    echo "$1 is $3; it must be $2 or newer"
  fi
}

# What PATH and PG_HEADERS lack, line by line; nothing if they have it all.
wanted() {
  local tool major header
  at_least emcc 6.0 "$(version_of emcc --version)"
  # The version that pg_trickle_core/planner/Cargo.toml names, and no other.
  [ "$(version_of wasm-bindgen --version)" = 0.2.108 ] || echo "wasm-bindgen 0.2.108 is not on PATH"
  at_least wasm-opt 120 "$(version_of wasm-opt --version)"
  at_least rustc 1.97 "$(version_of rustc --version)"
  for tool in cargo zopfli; do
    command -v "$tool" >/dev/null || echo "$tool is not on PATH"
  done
  if command -v rustc >/dev/null && [ ! -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ]; then
    echo "rustc has no sources of its standard library (rust-src)"
  fi
  for major in "${pg_majors[@]}"; do
    header=$major/usr/include/postgresql/$major/server/postgres.h
    [ -e "${PG_HEADERS:-/nonexistent}/$header" ] || echo "PG_HEADERS is not a folder with $header"
  done
}

cd "$repo"
TOOLS_WANTED=$(wanted)
if [ -z "$TOOLS_WANTED" ]; then
  exec "$@"
fi
export TOOLS_WANTED
root=$("$repo/ci/make-root.sh")
MOUNT_REPO=$repo exec "$repo/ci/enter-root.sh" "$root" env PG_HEADERS=/opt/pg "$@"
