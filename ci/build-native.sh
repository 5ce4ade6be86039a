#!/usr/bin/env bash
# Builds the native extension from the sources of the module: build/native/pg<major> with lib/pg_trickle.so and
# share/extension, for each PostgreSQL major. docs/NATIVE.md says how a server finds them.
#
#   build-native.sh              for servers
#   build-native.sh --dev        for tests, into build/native-dev: not optimised, and numbers that overflow are errors
#   build-native.sh --sanitize   with AddressSanitizer and UndefinedBehaviorSanitizer, into build/native-sanitized
#
#   PG_CONFIG   the program pg_config of a server that you have built: the extension is for that one alone, as with --dev, and goes
#               into build/native-own
source "$(dirname "$0")/lib.sh"
cd "$repo"

mode=${1:-}
build=build/native
target=target/native
profile=native
compiler=(gcc -O2)
cargo=(cargo build --quiet --locked -p pg_trickle_pglite)
case $mode in
  --dev)
    build=build/native-dev
    profile=dev
    ;;
  --sanitize)
    build=build/native-sanitized
    target=target/sanitized
    # Where the server finds the run-time library: ci/native-server.sh preloads it.
    compiler=(clang -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined)
    cargo+=(--target "$(uname -m)-unknown-linux-gnu")
    ;;
esac
if [ -n "${PG_CONFIG:-}" ]; then
  [ "$mode" != --sanitize ] || die 'PG_CONFIG: a server of your own has the sanitizers that you built it with'
  build=build/native-own
  target=target/own # another compiler's than that of the Debian root
  profile=dev
  pg_majors=("$(version_of "$PG_CONFIG" --version | cut -d . -f 1)")
fi

headers_of() {
  if [ -n "${PG_CONFIG:-}" ]; then
    "$PG_CONFIG" --includedir-server
  else
    echo "$PG_SERVERS/usr/include/postgresql/$1/server"
  fi
}

compile() {
  local major source objects out library
  if [ "$mode" = --sanitize ]; then
    # What C's sanitizer of undefined behaviour finds there, Rust's own checks find: numbers that overflow, pointers that are NULL.
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address -Zexternal-clangrt -Cforce-frame-pointers=yes -Cdebug-assertions -Coverflow-checks'
  fi
  CARGO_TARGET_DIR=$target "${cargo[@]}" --profile "$profile"
  library=$(find "$target" -path "*/$([ "$profile" = dev ] && echo debug || echo "$profile")/libpg_trickle_pglite.a")
  for major in "${pg_majors[@]}"; do
    out=$build/pg$major
    objects=()
    rm -rf "$out"
    mkdir -p "$out/lib" "$out/share/extension"
    for source in shim/*.c; do
      objects+=("$out/$(basename "$source" .c).o")
      "${compiler[@]}" -c "${c_flags[@]}" -isystem "$(headers_of "$major")" "$source" -o "${objects[-1]}"
    done
    # Only what PostgreSQL looks up is exported, and nothing of Rust's standard library.
    gcc -shared -Wl,--exclude-libs,ALL "${objects[@]}" "$library" -lm -o "$out/lib/pg_trickle.so"
    rm "${objects[@]}"
    # By its name alone the library is looked up in dynamic_library_path, so it need not be installed.
    sed "s|^module_pathname = .*|module_pathname = 'pg_trickle'|" shim/pg_trickle.control >"$out/share/extension/pg_trickle.control"
    for source in shim/*.sql; do
      cat "$source" shim/server/locks.sql >"$out/share/extension/$(basename "$source")"
    done
  done
}

c_flags=(
  -g -fPIC -fvisibility=hidden -std=gnu17 -fno-strict-aliasing -fwrapv
  # A callback has parameters because its caller passes them.
  -Wall -Wextra -Werror -Wno-unused-parameter
  -ffile-prefix-map="$repo=/pg_trickle"
)

if [ "${2:-}" = --inside ]; then
  compile
else
  "$repo/ci/native.sh" true # made here, if need be, so that its progress shows
  with_lock "$repo/$build/lock" step "Rust, C and link for native PostgreSQL ${pg_majors[*]}${mode:+ ($mode)}" \
    "$repo/ci/native.sh" ci/build-native.sh "$mode" --inside
fi
