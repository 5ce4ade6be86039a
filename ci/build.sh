#!/usr/bin/env bash
# Builds everything into build/ and ts/dist/: the side module and its bundle for each PostgreSQL major, then the npm
# package. What has not changed since the last build is not built again.
#
#   build.sh          all of it
#   build.sh --wasm   only the modules and bundles
source "$(dirname "$0")/lib.sh"
cd "$repo"

wasm_inputs=(Cargo.toml Cargo.lock pg_trickle_core/Cargo.toml pg_trickle_core/src pg_trickle_pglite/Cargo.toml
  pg_trickle_pglite/src shim ci/lib.sh ci/build-wasm.sh ci/build.sh ci/make-root.sh)
package_inputs=(package-lock.json ts/package.json ts/tsconfig.json ts/tsup.config.ts ts/src)

# The names and contents of files and of all files in folders, as one hash.
fingerprint() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

# unchanged STAMP OUTPUT... -- INPUT...: were the outputs built from these very inputs?
unchanged() {
  local stamp=$1 output
  shift
  for output in "$stamp" "$@"; do
    [ "$output" != -- ] || break
    [ -e "$output" ] || return 1
  done
  while [ "$1" != -- ]; do shift; done
  shift
  [ "$(fingerprint "$@")" = "$(cat "$stamp")" ]
}

build_wasm() {
  local major stamp bundles=()
  for major in "${pg_majors[@]}"; do
    bundles+=("build/pg_trickle-pg$major.tar.gz" "build/pg$major/pg_trickle.so" "build/pg$major/named.wasm")
  done
  if ! unchanged build/wasm.stamp "${bundles[@]}" -- "${wasm_inputs[@]}"; then
    stamp=$(fingerprint "${wasm_inputs[@]}")
    "$repo/ci/toolchain.sh" true # made here, if need be, so that its progress shows
    step 'Rust, C and link for PostgreSQL 17 and 18' "$repo/ci/toolchain.sh" ci/build-wasm.sh
    echo "$stamp" >build/wasm.stamp
  fi
}

# place FILE COPY: copies what is not the same already.
place() {
  cmp -s "$1" "$2" || install -m 644 "$1" "$2"
}

# After the package's own build, which owns the rest of the folder: the bundles, and the modules in them by themselves.
place_bundles() {
  local major
  mkdir -p ts/dist
  for major in "${pg_majors[@]}"; do
    place "build/pg_trickle-pg$major.tar.gz" "ts/dist/pg_trickle-pg$major.tar.gz"
    place "build/pg$major/pg_trickle.so" "ts/dist/pg_trickle-pg$major.wasm"
  done
}

build_package() {
  local outputs=(ts/dist/index.js ts/dist/index.cjs ts/dist/index.d.ts)
  unchanged build/package.stamp "${outputs[@]}" -- "${package_inputs[@]}" && return
  local stamp
  stamp=$(fingerprint "${package_inputs[@]}")
  "$repo/ci/setup.sh"
  step 'TypeScript package' npm run --silent build --workspace ts
  echo "$stamp" >build/package.stamp
}

build() {
  mkdir -p build
  build_wasm
  [ "${1:-}" = --wasm ] || build_package
  place_bundles
  say 'The build is up to date'
}

# build.sh --package: only the npm package's own code
if [ "${1:-}" = --package ]; then
  with_lock "$repo/build/lock" build_package
else
  with_lock "$repo/build/lock" build "$@"
fi
