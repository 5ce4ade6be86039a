#!/usr/bin/env bash
# What can be checked without building the module: format, clippy, the Rust tests (the golden files among them), eslint,
# types. Two lanes run at the same time, one for Rust and one for the rest. A lane shows its output only if it fails.
source "$(dirname "$0")/lib.sh"
cd "$repo"

gates=(versions shim-lines file-length unsafe c-warnings javascript types)

# lane NAME COMMAND...: runs a command in the background, its output in a file.
lane() {
  local name=$1
  shift
  "$@" >"$work/$name" 2>&1 </dev/null &
  lanes+=("$! $name")
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lanes=()
"$repo/ci/toolchain.sh" true
lane rust bash -c 'node ci/gates.mjs rust && node ci/run-tests.mjs rust'
"$repo/ci/setup.sh"
"$repo/ci/build.sh" --package # the declarations that the tests import
lane others node ci/gates.mjs "${gates[@]}"

failed=0
for each in "${lanes[@]}"; do
  if wait "${each%% *}"; then
    tail -n 1 "$work/${each#* }"
  else
    failed=1
    cat "$work/${each#* }"
  fi
done
say "$([ "$failed" = 0 ] && echo 'Checks passed' || echo 'Checks failed') after $SECONDS s"
exit "$failed"
