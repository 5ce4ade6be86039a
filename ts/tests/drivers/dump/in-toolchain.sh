#!/usr/bin/env bash
# in-toolchain.sh MAJOR: runs conformance.sh with the programs of PostgreSQL MAJOR, in the Debian of ci/toolchain.sh, for
# machines whose own are too old. The packages are unpacked into build/, not installed.
set -euo pipefail
clients=$PWD/build/postgres-clients
if [ ! -d "$clients/usr/lib/postgresql/$1" ]; then
  mkdir -p "$clients/packages"
  cd "$clients/packages"
  apt-get -q -o Acquire::Check-Valid-Until=false update >/dev/null
  apt-get -q download "postgresql-client-$1" libpq5 >/dev/null 2>&1
  for package in ./*.deb; do dpkg -x "$package" "$clients"; done
  cd - >/dev/null
fi
export LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(dirname "$(find "$clients/usr/lib" -name libpq.so.5)")
export PG_BIN=$clients/usr/lib/postgresql/$1/bin
exec bash ts/tests/drivers/dump/conformance.sh
