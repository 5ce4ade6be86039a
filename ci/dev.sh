#!/usr/bin/env bash
# dev.sh [FILE] [pg17|pg18]: a quick build of the module for one PostgreSQL, not optimised for size, and one test file
# run against it:
#
#   dev.sh                        tests/smoke.test.ts on PostgreSQL 18
#   dev.sh windows                tests/windows.test.ts
#   dev.sh tests/random/ pg17     any other filter that vitest understands
#
# The build goes to build/dev and leaves the release build alone. Its bundles stay in ts/dist until the next command
# that builds puts the release bundles back.
source "$(dirname "$0")/lib.sh"
cd "$repo"

file=smoke
major=18
for argument in "$@"; do
  case $argument in
    pg17 | pg18) major=${argument#pg} ;;
    *) file=$argument ;;
  esac
done
[ -e "$file" ] || [ ! -e "ts/tests/$file.test.ts" ] || file=tests/$file.test.ts

# The package needs a bundle for each PostgreSQL; that of the other one may be older.
build() {
  local majors=("$major") other
  mkdir -p build/dev
  for other in "${pg_majors[@]}"; do
    [ "$other" = "$major" ] || [ -e "build/dev/pg_trickle-pg$other.tar.gz" ] || majors+=("$other")
  done
  "$repo/ci/toolchain.sh" true # made here, if need be, so that its progress shows
  step "Rust, C and link for PostgreSQL ${majors[*]}" "$repo/ci/toolchain.sh" ci/build-wasm.sh --dev "${majors[@]}"
}

# The planner is not built for speed: it is that of the last build of everything.
use_planner() {
  [ -e build/planner/planner.wasm.gz ] || step 'The planner for JavaScript' "$repo/ci/toolchain.sh" ci/build-planner.sh
  cp build/planner/planner.wasm.gz build/planner/planner-glue.js build/dev/
}

with_lock "$repo/build/dev/lock" build
use_planner
cd ts
PG_TRICKLE_BUNDLES=$repo/build/dev exec ../ci/with-build.sh npx vitest run "$file" --project "pg$major"
