#!/usr/bin/env bash
# pg_dump and pg_restore with `pgtrickle serve`: the address of the database is in PGHOST and PGPORT, and RESTORE_PORT is
# that of an empty one. PG_BIN is the folder of the programs, or nothing for those of PATH.
set -uo pipefail
bin=${PG_BIN:+$PG_BIN/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
echo "driver pg_dump, pg_restore $("${bin}pg_dump" --version | sed -E 's/^[^0-9]*([0-9.]+).*/\1/')"
echo 'settings none'

ask() { "${bin}psql" -X -q -At -v ON_ERROR_STOP=1 "$@" 2>&1; }
restored() { ask -p "$RESTORE_PORT" "$@"; }

step() {
  local name=$1 expected=$2 found
  shift 2
  found=$("$@")
  if [ "$found" = "$expected" ]; then
    echo "ok $name"
  else
    echo "failed $name: $(tr '\n' ' ' <<<"$found" | head -c 500)"
    status=1
  fi
}

create() {
  ask -c 'CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)' \
    -c "DO \$\$ BEGIN PERFORM pgtrickle.create_stream_table('totals',
      'SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer'); END \$\$" \
    -c 'INSERT INTO orders SELECT n, n % 10, n FROM generate_series(1, 1000) n'
}
step create '' create

# The same twice, apart from the key of \restrict, while somebody else has a setting and a statement of his own.
twice() {
  "${bin}pg_dump" >"$work/1.sql" && "${bin}pg_dump" >"$work/2.sql" || return
  diff <(grep -v '^\\\(un\)\?restrict' "$work/1.sql") <(grep -v '^\\\(un\)\?restrict' "$work/2.sql")
}
step 'pg_dump twice' '' twice
beside() {
  { echo "SET work_mem = '3MB';" 'PREPARE p AS SELECT count(*) FROM totals;'; sleep 1; echo 'EXECUTE p; SHOW work_mem;'; } | ask -f - &
  sleep 0.5
  "${bin}pg_dump" >/dev/null
  wait
}
step 'others beside pg_dump' $'10\n3MB' beside

# Options of columns that only the PGlite knows that wrote them.
portable() { sed '/^ALTER TABLE .* SET (pg_attver=[0-9]*);$/d' "$work/1.sql" >"$work/portable.sql"; }
check='UPDATE orders SET customer = 3 WHERE id <= 10; SELECT n FROM totals WHERE customer = 3'
verify="SELECT ok FROM pgtrickle.verify_stream_table('totals')"
with_psql() {
  portable
  restored -f "$work/portable.sql" >"$work/log" || tail -n 3 "$work/log"
  restored -c 'DO $$ BEGIN PERFORM pgtrickle.restore_stream_tables(); END $$' -c "$check" -c "$verify"
}
step 'restore with psql' $'109\nt' with_psql

with_pg_restore() {
  restored -c 'DROP TABLE orders CASCADE' >/dev/null
  "${bin}pg_dump" -Fc --exclude-table-data='pgtrickle.st_*' >"$work/dump" || return
  "${bin}pg_restore" -f - "$work/dump" | sed '/^ALTER TABLE .* SET (pg_attver=[0-9]*);$/d' | restored -f - >"$work/log" || tail -n 3 "$work/log"
  restored -c 'DO $$ BEGIN PERFORM pgtrickle.restore_stream_tables(); END $$' -c "$check" -c "$verify"
}
step pg_restore $'109\nt' with_pg_restore
exit "$status"
