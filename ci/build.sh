#!/usr/bin/env bash
# Builds everything into build/ and ts/dist/: the side module and its bundle for each PostgreSQL major, the planner, then
# the npm package. What has not changed since the last build is not built again.
#
#   build.sh          all of it
#   build.sh --wasm   only the modules and bundles
#
#   PG_TRICKLE_BUNDLES   a folder with bundles to take instead of building them, or `published` for those of the last
#                        release on npm: then neither Rust nor Emscripten is needed
source "$(dirname "$0")/lib.sh"
started_in=${INIT_CWD:-$PWD} # npm changes to the folder of the package whose script it runs
cd "$repo"

wasm_inputs=(Cargo.toml Cargo.lock pg_trickle_core/Cargo.toml pg_trickle_core/src pg_trickle_pglite/Cargo.toml
  pg_trickle_pglite/src shim ci/lib.sh ci/build-wasm.sh ci/order-functions.mjs ci/gates/wasm.mjs ci/build.sh
  ci/make-root.sh ci/install-toolchain.sh ci/toolchain.versions)
planner_inputs=(Cargo.toml pg_trickle_core/Cargo.toml pg_trickle_core/src pg_trickle_core/planner/Cargo.toml
  pg_trickle_core/planner/Cargo.lock pg_trickle_core/planner/src ci/lib.sh ci/build-planner.sh ci/order-functions.mjs
  ci/gates/wasm.mjs ci/make-root.sh ci/install-toolchain.sh ci/toolchain.versions)
package_inputs=(package-lock.json ts/package.json ts/tsconfig.json ts/tsup.config.ts ts/src build/planner/planner-glue.js)
imports_inputs=(package-lock.json ci/check-imports.mjs ci/gates/imports.mjs ci/gates/wasm.mjs)

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
    node ci/compare-versions.mjs build/toolchain.versions
    echo "$stamp" >build/wasm.stamp
  fi
}

build_planner() {
  local stamp
  unchanged build/planner.stamp build/planner/planner.wasm.gz build/planner/planner-glue.js -- "${planner_inputs[@]}" && return
  stamp=$(fingerprint "${planner_inputs[@]}")
  "$repo/ci/toolchain.sh" true # made here, if need be, so that its progress shows
  step 'The planner for JavaScript' "$repo/ci/toolchain.sh" ci/build-planner.sh
  echo "$stamp" >build/planner.stamp
}

# The bundles that PG_TRICKLE_BUNDLES names are unpacked into build/given, which has the same files as build.
take_given() {
  local folder major name
  case $PG_TRICKLE_BUNDLES in
    published)
      get_published
      folder=build/published
      ;;
    /*) folder=$PG_TRICKLE_BUNDLES ;;
    *) folder=$started_in/$PG_TRICKLE_BUNDLES ;;
  esac
  for major in "${pg_majors[@]}"; do
    name=pg_trickle-pg$major.tar.gz
    [ -f "$folder/$name" ] || die "PG_TRICKLE_BUNDLES=$PG_TRICKLE_BUNDLES: there is no file $folder/$name. Give a folder that has
one for each of PostgreSQL ${pg_majors[*]}: build/ of a checkout that was built, or dist/ of a published package."
    mkdir -p "build/given/pg$major"
    place "$folder/$name" "build/given/$name"
    tar -xzf "$folder/$name" -O lib/postgresql/pg_trickle.so >"build/given/pg$major/pg_trickle.so"
  done
  take_planner "$folder"
  say "Bundles are those of $folder: no Rust and no C of this checkout is in them"
}

# take_planner FOLDER: from beside the bundles, or from the folder that a checkout has for it. It is built anew, by the next
# build that takes nothing, if it is another one.
take_planner() {
  local name file
  mkdir -p build/planner
  for name in planner.wasm.gz planner-glue.js; do
    file=$1/$name
    [ -f "$file" ] || file=$1/planner/$name
    [ -f "$file" ] || die "PG_TRICKLE_BUNDLES=$PG_TRICKLE_BUNDLES: there is no file $1/$name"
    cmp -s "$file" "build/planner/$name" || rm -f build/planner.stamp
    place "$file" "build/planner/$name"
  done
}

# The last release's files, once: remove build/published to have them from a newer one.
get_published() {
  local work=build/published.new
  [ ! -d build/published ] || return 0
  rm -rf "$work"
  mkdir -p "$work"
  npm pack --loglevel=error --pack-destination "$work" @pgtrickle/pglite >/dev/null 2>"$work/log" ||
    die "PG_TRICKLE_BUNDLES=published: npm did not give the package @pgtrickle/pglite.
$(head -n 3 "$work/log")
Set PG_TRICKLE_BUNDLES to a folder with bundles from elsewhere, or build them: docs/BUILDING.md"
  tar -xzf "$work"/*.tgz -C "$work" --strip-components=2 package/dist
  mv "$work" build/published
}

# check_imports FOLDER: a module that imports what some supported PGlite lacks would wedge the database there.
check_imports() {
  local stamp=$1/imports.stamp major modules=()
  for major in "${pg_majors[@]}"; do modules+=("$1/pg$major/pg_trickle.so"); done
  unchanged "$stamp" -- "${imports_inputs[@]}" "${modules[@]}" && return
  "$repo/ci/setup.sh"
  node ci/check-imports.mjs "$1"
  fingerprint "${imports_inputs[@]}" "${modules[@]}" >"$stamp"
}

# place FILE COPY: copies what is not the same already.
place() {
  cmp -s "$1" "$2" || install -m 644 "$1" "$2"
}

# place_bundles FOLDER: after the package's own build, which owns the rest of ts/dist.
place_bundles() {
  local major
  mkdir -p ts/dist
  for major in "${pg_majors[@]}"; do
    place "$1/pg_trickle-pg$major.tar.gz" "ts/dist/pg_trickle-pg$major.tar.gz"
  done
  # The glue is in the code of the package. By itself it is for PG_TRICKLE_BUNDLES=published.
  place build/planner/planner.wasm.gz ts/dist/planner.wasm.gz
  place build/planner/planner-glue.js ts/dist/planner-glue.js
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
  local from=build
  mkdir -p build
  if [ -n "${PG_TRICKLE_BUNDLES:-}" ]; then
    from=build/given
    take_given
  else
    build_wasm
    build_planner
  fi
  check_imports "$from"
  [ "${1:-}" = --wasm ] || build_package
  place_bundles "$from"
  say 'The build is up to date'
}

# build.sh --package: only the npm package's own code, and the glue that is in it
build_package_alone() {
  [ -n "${PG_TRICKLE_BUNDLES:-}" ] || build_planner
  build_package
}

if [ "${1:-}" = --package ]; then
  with_lock "$repo/build/lock" build_package_alone
else
  with_lock "$repo/build/lock" build "$@"
fi
