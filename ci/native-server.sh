#!/usr/bin/env bash
# native-server.sh MAJOR PORT [SETTING=VALUE...]: runs a PostgreSQL with the extension of build/native on 127.0.0.1:PORT, with an
# empty cluster of its own in which everybody may do everything. It prints `ready` when it answers, and ends, with all its
# files, when its standard input does: whoever started it cannot leave it behind. For tests and measurements.
#
# It fails if the log has what a tool reports, and shows that: a sanitizer, an assertion, valgrind, a process that crashed. The whole
# log is then in the folder `reports` of the build, and the last one of each PostgreSQL is beside it.
#
#   PG_TRICKLE_NATIVE   another folder of the checkout than build/native: build/native-dev, build/native-sanitized
#   PG_CONFIG           the program pg_config of a server that you have built, which runs with build/native-own
#   NATIVE_UNDER        a program with its options that runs the server: valgrind
source "$(dirname "$0")/lib.sh"
if [ "$1" != --inside ]; then
  folder=${PG_TRICKLE_NATIVE:-build/native}
  [ -z "${PG_CONFIG:-}" ] || folder=build/native-own
  exec "$repo/ci/native.sh" env "NATIVE_UNDER=${NATIVE_UNDER:-}" ci/native-server.sh --inside "$folder" "$@"
fi

build=$repo/$2
major=$3
port=$4
shift 4
libraries=$(echo "$PG_SERVERS"/usr/lib/*-linux-gnu*)
if [ -n "${PG_CONFIG:-}" ]; then
  [ "$(version_of "$PG_CONFIG" --version | cut -d . -f 1)" = "$major" ] || die "PG_CONFIG=$PG_CONFIG is not that of PostgreSQL $major"
  bin=$("$PG_CONFIG" --bindir)
  lib=$("$PG_CONFIG" --pkglibdir)
  share=$("$PG_CONFIG" --sharedir)
else
  bin=$PG_SERVERS/usr/lib/postgresql/$major/bin
  lib=$PG_SERVERS/usr/lib/postgresql/$major/lib
  share=$PG_SERVERS/usr/share/postgresql/$major
fi
extensions=$build/pg$major/share/extension
[ -e "$extensions/pg_trickle.control" ] || die "there is no $extensions: run ci/build-native.sh"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

as_nobody=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
  chown nobody:nogroup "$data"
fi
if [ -n "$PG_SERVERS" ]; then
  export LD_LIBRARY_PATH=$libraries
fi

# A library with sanitizers needs theirs before all others. PostgreSQL frees nothing when a process ends.
sanitized=()
if [[ $build == *sanitized ]]; then
  runtime=$(find "$PG_SERVERS/usr/lib" /usr/lib -name "libclang_rt.asan-$(uname -m).so" 2>/dev/null | head -n 1)
  [ -n "$runtime" ] || die 'there is no libclang_rt.asan: install the package libclang-rt-*-dev'
  sanitized=(env "LD_PRELOAD=$runtime" "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:log_path=stderr" UBSAN_OPTIONS=print_stacktrace=1)
fi

# Nothing is written for good, and the log is for those who wait. Debian's 17 has a just-in-time compiler, its 18 and PGlite have
# none: the oracle's comparison of 32 stream tables in one statement takes 300 ms to compile, and 5 to run.
settings=(listen_addresses=127.0.0.1 unix_socket_directories= port="$port" fsync=off synchronous_commit=off full_page_writes=off
  jit=off autovacuum=off max_prepared_transactions=4 max_locks_per_transaction=512 "dynamic_library_path=$build/pg$major/lib:\$libdir")
if [ "$major" -ge 18 ]; then
  settings+=("extension_control_path=$build/pg$major/share:\$system")
else
  # PostgreSQL 17 looks into its own folder alone, which it finds from that of the program: a copy of it gets ours too.
  mkdir -p "$data/$(dirname "$bin")" "$data/$(dirname "$lib")" "$data/$(dirname "$share")"
  cp -r "$bin" "$data/$bin"
  cp -rs "$lib" "$data/$lib"
  cp -rs "$share" "$data/$share"
  cp "$extensions"/* "$data/$share/extension"
  bin=$data/$bin
fi
settings+=("$@")

"${as_nobody[@]}" "$bin/initdb" --pgdata "$data/cluster" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync >"$data/log"
options=()
for setting in "${settings[@]}"; do options+=(-c "$setting"); done
read -ra under <<<"${NATIVE_UNDER:-}"
"${as_nobody[@]}" "${sanitized[@]}" "${under[@]}" "$bin/postgres" -D "$data/cluster" "${options[@]}" >>"$data/log" 2>&1 &
server=$!
stop() {
  kill -INT "$server" 2>/dev/null || true
  # One that recovers from a crash may not notice.
  for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  kill -QUIT "$server" 2>/dev/null || true
  wait "$server" || true
  cp "$data/log" "$build/server-$major.log"
  rm -rf "$data/cluster"
  if grep -q -E "$reported" "$data/log"; then
    mkdir -p "$build/reports"
    cp "$data/log" "$build/reports/$major-$$.log"
    grep -m 1 -A 40 -E "$reported" "$data/log" >&2
    rm -rf "$data"
    die "a tool has reported an error: ${build#"$repo/"}/reports/$major-$$.log"
  fi
  rm -rf "$data"
}
# What AddressSanitizer, UndefinedBehaviorSanitizer, Rust's checks, PostgreSQL's assertions and its checks of memory and resources,
# valgrind (--error-markers) and a crash leave in the log.
reported='ERROR: AddressSanitizer|: runtime error: |unsafe precondition|^TRAP: |WARNING:  (problem in|detected write past|resource was not closed)|VALGRINDERROR-BEGIN|was terminated by signal'
trap stop EXIT
for _ in $(seq 600); do
  if "$bin/pg_isready" --quiet --host 127.0.0.1 --port "$port"; then
    echo ready
    cat >/dev/null
    exit
  fi
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
cat "$data/log" >&2
die "PostgreSQL $major did not start"
