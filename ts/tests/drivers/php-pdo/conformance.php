<?php
// What PDO of PHP does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST and PGPORT.
$dsn = sprintf('pgsql:host=%s;port=%s;dbname=postgres', getenv('PGHOST'), getenv('PGPORT'));
$options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM];
$connection = new PDO($dsn, 'postgres', null, $options);
$listener = new PDO($dsn, 'postgres', null, $options);
printf("driver PHP PDO %s\nsettings none\n", PHP_VERSION);
$status = 0;

function step(string $name, callable $check): void
{
    global $status;
    try {
        $check();
        echo "ok $name\n";
    } catch (Throwable $error) {
        $status = 1;
        echo "failed $name: ", strtr($error->getMessage(), "\n", ' '), "\n";
    }
}

function equal(mixed $found, mixed $expected): void
{
    if ($found !== $expected) {
        throw new Exception(json_encode($found) . ', not ' . json_encode($expected));
    }
}

function rows(string $sql, mixed ...$parameters): array
{
    global $connection;
    $statement = $connection->prepare($sql);
    $statement->execute($parameters);
    return $statement->fetchAll();
}

step('create', function () use ($connection) {
    $connection->exec('CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)');
    $query = 'SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer';
    rows("SELECT pgtrickle.create_stream_table('totals', ?)", $query);
});
step('change', function () use ($connection) {
    $connection->exec('INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)');
    $connection->exec('UPDATE orders SET customer = 8 WHERE id = 2');
    equal(rows('SELECT customer, total FROM totals ORDER BY customer'), [[7, '10.50'], [8, '5']]);
    equal(rows("SELECT ok FROM pgtrickle.verify_stream_table('totals')"), [[true]]);
});
step('error with hint', function () use ($connection) {
    try {
        $connection->exec("SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')");
    } catch (PDOException $error) {
        equal($error->getCode(), '0A000');
        equal(str_contains($error->getMessage(), 'HINT:'), true);
        return;
    }
    throw new Exception('no error');
});
step('parameters', fn() => equal(rows('SELECT ?::int + 1, ?::text', 41, "ü'\\"), [[42, "ü'\\"]]));
step('prepared', function () use ($connection, $listener) {
    $one = $connection->prepare('SELECT n FROM totals WHERE customer = ?');
    $other = $listener->prepare('SELECT total FROM totals WHERE customer = ?');
    foreach ([[7, 1], [8, 2], [7, 1]] as [$customer, $n]) {
        $one->execute([$customer]);
        $other->execute([$customer]);
        equal($one->fetchColumn(), $n);
    }
});
step('batch', function () use ($connection) {
    $connection->exec('INSERT INTO orders SELECT n, 9, 1 FROM generate_series(10, 14) n; INSERT INTO orders SELECT n, 9, 1 FROM generate_series(15, 19) n');
    equal(rows('SELECT n FROM totals WHERE customer = 9'), [[10]]);
});
step('transaction', function () use ($connection) {
    $connection->beginTransaction();
    $connection->exec('DELETE FROM orders');
    equal(rows('SELECT count(*) FROM totals'), [[0]]);
    $connection->rollBack();
    equal(rows('SELECT count(*) FROM totals'), [[3]]);
});
step('savepoint', function () use ($connection) {
    $connection->beginTransaction();
    $connection->exec('INSERT INTO orders VALUES (30, 30, 1); SAVEPOINT s');
    try {
        $connection->exec('SELECT 1 / 0');
    } catch (PDOException $error) {
        equal($error->getCode(), '22012');
    }
    $connection->exec('ROLLBACK TO s');
    $connection->commit();
    equal(rows('SELECT n FROM totals WHERE customer = 30'), [[1]]);
});
step('cursor', function () use ($connection) {
    $connection->beginTransaction();
    $connection->exec('DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id');
    equal(count(rows('FETCH 3 FROM c')), 3);
    equal(count(rows('FETCH ALL FROM c')), 11);
    $connection->commit();
});
step('COPY in', function () use ($connection) {
    $connection->pgsqlCopyFromArray('orders', array_map(fn($n) => "$n\t100\t1", range(100, 1099)));
    equal(rows('SELECT n FROM totals WHERE customer = 100'), [[1000]]);
});
step('COPY out', fn() => equal(count($connection->pgsqlCopyToArray('orders')), 1014));
step('LISTEN', function () use ($connection, $listener) {
    $listener->exec('LISTEN news');
    $connection->exec("NOTIFY news, 'from another connection'");
    equal($listener->pgsqlGetNotify(PDO::FETCH_ASSOC, 10000)['payload'] ?? null, 'from another connection');
});
step('feed', function () use ($connection, $listener) {
    $listener->exec('LISTEN pgtrickle');
    [[$begin]] = rows("SELECT pgtrickle.keep_changes('totals')");
    $connection->exec('INSERT INTO orders VALUES (50, 50, 2.50)');
    $payload = $listener->pgsqlGetNotify(PDO::FETCH_ASSOC, 10000)['payload'] ?? 'null';
    equal(json_decode($payload, true), ['public.totals' => $begin + 1]);
    $changes = rows("SELECT seq, op, c.row ->> 'total' FROM pgtrickle.changes('totals', after => ?) c", $begin);
    equal($changes, [[$begin + 1, 'insert', '2.50']]);
});
exit($status);
