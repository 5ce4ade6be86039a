#!/usr/bin/env bash
# native.sh COMMAND...: runs COMMAND in the checkout where cargo, gcc and PostgreSQL 17 and 18 are, servers and headers of this
# machine's kind. $PG_SERVERS is the folder that has them as $PG_SERVERS/usr/lib/postgresql/18.
#
# PG_CONFIG names the program pg_config of a server that somebody has built: it runs on the machine, and the rest comes from PATH.
# Without it, what PATH and the machine have is used when it is all there. Otherwise it is the Debian root of the toolchain, and the
# servers are unpacked into it by the first command that asks for them: who builds WebAssembly only pays nothing.
source "$(dirname "$0")/lib.sh"

has_servers() {
  local major
  for major in "${pg_majors[@]}"; do
    [ -x "$1/usr/lib/postgresql/$major/bin/postgres" ] || return 1
    [ -e "$1/usr/include/postgresql/$major/server/postgres.h" ] || return 1
  done
}

servers=/opt/servers-1 # raise the number when every machine needs new ones
cd "$repo"
if [ -n "${PG_CONFIG:-}" ]; then
  command -v "$PG_CONFIG" >/dev/null || die "PG_CONFIG=$PG_CONFIG: there is no such program"
  command -v cargo >/dev/null && command -v gcc >/dev/null || die 'PG_CONFIG needs cargo and gcc on PATH'
  PG_SERVERS='' exec "$@"
fi
if command -v cargo >/dev/null && command -v gcc >/dev/null; then
  for folder in '' "$servers"; do
    if has_servers "$folder"; then
      PG_SERVERS=$folder exec "$@"
    fi
  done
fi
root=$("$repo/ci/make-root.sh")

make_servers() {
  has_servers "$root$servers" || MOUNT_REPO=$repo "$repo/ci/enter-root.sh" "$root" ci/install-servers.sh "$servers"
}

# No lock where there is nothing to do: another checkout may be making a toolchain.
has_servers "$root$servers" || with_lock "$cache/lock" make_servers >&2
MOUNT_REPO=$repo exec "$repo/ci/enter-root.sh" "$root" env PG_SERVERS="$servers" "$@"
