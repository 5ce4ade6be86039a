#!/usr/bin/env bash
# What psql does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST, PGPORT, ...
# PSQL is the program to use, psql unless given.
set -uo pipefail
psql=(${PSQL:-psql} -X -q -v ON_ERROR_STOP=1)
status=0
echo "driver psql $("${psql[@]}" --version | sed -E 's/^[^0-9]*([0-9.]+).*/\1/')"
echo 'settings none'

ask() { "${psql[@]}" -At "$@" 2>&1; }

# step NAME EXPECTED ARGUMENTS...: psql with these arguments has to print what is expected, a pattern of bash.
step() {
  local name=$1 expected=$2 found
  shift 2
  found=$(ask "$@")
  # shellcheck disable=SC2053
  if [[ $found == $expected ]]; then
    echo "ok $name"
  else
    echo "failed $name: $(tr '\n' ' ' <<<"$found")"
    status=1
  fi
}

step create '' -c 'CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)' \
  -c "DO \$\$ BEGIN PERFORM pgtrickle.create_stream_table('totals',
    'SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer'); END \$\$"
step change $'7|10.50\n8|5\nt' -c "INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)" \
  -c 'UPDATE orders SET customer = 8 WHERE id = 2' -c 'SELECT customer, total FROM totals ORDER BY customer' \
  -c "SELECT ok FROM pgtrickle.verify_stream_table('totals')"
step 'error with hint' '*ERROR:  0A000:*HINT:*' -v VERBOSITY=verbose -c "SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')"
step parameters "42|ü'" -v n=41 -v text="ü'" -f - <<<"SELECT :n::int + 1, :'text';"
step prepared $'1\n2' -c 'PREPARE of AS SELECT n FROM totals WHERE customer = $1' -c 'EXECUTE of(7)' -c 'EXECUTE of(8)'
step batch $'10' -c 'INSERT INTO orders SELECT n, 9, 1 FROM generate_series(10, 19) n; SELECT n FROM totals WHERE customer = 9'
step transaction $'0\n3' -c BEGIN -c 'DELETE FROM orders' -c 'SELECT count(*) FROM totals' -c ROLLBACK -c 'SELECT count(*) FROM totals'
step savepoint '*division by zero*1' -v ON_ERROR_STOP=0 -c BEGIN -c 'INSERT INTO orders VALUES (30, 30, 1)' -c 'SAVEPOINT s' -c 'SELECT 1 / 0' \
  -c 'ROLLBACK TO s' -c COMMIT -c 'SELECT n FROM totals WHERE customer = 30'
step cursor $'1\n2\n3\n10' -c BEGIN -c 'DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id' -c 'FETCH 2 FROM c' \
  -c 'FETCH 2 FROM c' -c COMMIT
step 'COPY in' '1000' -f - <<<"$(echo '\copy orders FROM STDIN'; seq 100 1099 | sed 's/$/\t100\t1/'; echo '\.'; echo 'SELECT n FROM totals WHERE customer = 100;')"
step 'COPY out' $'7\t1\t10.50' -c '\copy (SELECT * FROM totals WHERE customer = 7) TO STDOUT'

# psql prints notifications after its next command, so one that does nothing asks again.
listen() {
  { echo "LISTEN $1;"; sleep 3; echo 'SELECT 1;'; } | ask -f -
}

# heard NAME CHANNEL EXPECTED ARGUMENTS...: while psql does nothing but listen, another one runs with these arguments.
heard() {
  local name=$1 channel=$2 expected=$3 found
  shift 3
  found=$(listen "$channel" & sleep 1; ask "$@"; wait)
  # shellcheck disable=SC2053
  if [[ $found == $expected ]]; then
    echo "ok $name"
  else
    echo "failed $name: $(tr '\n' ' ' <<<"$found")"
    status=1
  fi
}

heard LISTEN news '*"news" with payload "from another connection"*' -c "NOTIFY news, 'from another connection'"
heard feed pgtrickle $'0\n1|insert|2.50\n*"pgtrickle" with payload "{"public.totals":1}"*' \
  -c "SELECT pgtrickle.keep_changes('totals')" -c 'INSERT INTO orders VALUES (50, 50, 2.50)' \
  -c "SELECT seq, op, c.row ->> 'total' FROM pgtrickle.changes('totals', after => 0) c"
exit "$status"
