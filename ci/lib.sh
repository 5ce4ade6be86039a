# Shared by the scripts of this folder: where things are, and how to talk to the person who waits.
# Sourced, not run.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${PG_TRICKLE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pg_trickle}
pg_majors=(17 18)

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# version_at_least 6.0.5 6.0: is the first at least the second?
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The first version number that a program prints; nothing if there is no such program.
version_of() { "$@" 2>/dev/null </dev/null | grep -o -m 1 -E '[0-9]+(\.[0-9]+)*' | head -n 1; }

# The last line that says what is being done, without a compiler's notes.
last_message() { grep -v -E '^ *([=|^]|-->|[0-9]+ \||note:|warning:|help:|$)' | tail -n 1 | cut -c 1-66; }

# step WHAT COMMAND...: runs a quiet command that may take long. A line every ten seconds shows that it
# lives; its output is shown only when it fails. COMMAND must be a program, not a function: `||` below
# would switch `set -e` off inside a function.
step() {
  local what=$1 start=$SECONDS status=0 log ticker
  shift
  log=$(mktemp)
  say "$what"
  (
    # The sleep must not hold our stderr: it outlives its killed parent by some seconds.
    while sleep 10 >/dev/null 2>&1; do
      printf '    %3d s  %s\n' $((SECONDS - start)) "$(tail -c 3000 "$log" | tr '\r' '\n' | last_message)" >&2
    done
  ) &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    die "$what: failed with status $status"
  fi
  rm -f "$log"
  say "$what: done in $((SECONDS - start)) s"
}

# with_lock FILE COMMAND...: one process at a time; says so when it has to wait.
with_lock() {
  local file=$1
  shift
  mkdir -p "$(dirname "$file")"
  (
    exec 9>"$file"
    if ! flock -n 9; then
      say "waiting for another build ($file)"
      flock 9
    fi
    # The lock must not live on in a background process of the command.
    "$@" 9>&-
  )
}

# order_functions NAMED OUT FEATURE...: the module NAMED without names, its functions in the order in which they compress
# best, by code that they share and not by name: the planner 14 KB smaller, a bundle 21 KB. FEATURE... are flags of wasm-opt.
order_functions() {
  local named=$1 out=$2
  shift 2
  # The most often called come first.
  wasm-opt "$@" --reorder-functions --strip-debug --strip-producers "$named" -o "$out"
  node "$repo/ci/order-functions.mjs" "$out" "$out"
  wasm-opt "$@" --reorder-functions-by-name --strip-debug "$out" -o "$out"
}
