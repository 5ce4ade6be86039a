//! Changes tables at random, and compares each stream table with its query after each change.
//!
//!     cargo run -- [--changes N] [--seed N] [--data FOLDER] [--unmaintained]
//!
//! With `--data` the database stays, and the next run goes on with it. With `--unmaintained` no trigger fires, to show that
//! a stream table that differs is noticed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use oliphaunt::Oliphaunt;
use rust_embedded::{Failure, create, extension_folder, open, value};

const SCHEMA: &str = "
    CREATE TABLE customers (id int PRIMARY KEY, parent int, city text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(10, 2));
    CREATE INDEX ON orders (customer);
    CREATE INDEX ON orders (amount);
    CREATE INDEX ON customers (parent);
    INSERT INTO customers SELECT n, CASE WHEN n > 3 THEN n / 3 END, 'city ' || n % 5 FROM generate_series(1, 20) n;
    INSERT INTO orders SELECT n, n % 25, n % 17 FROM generate_series(1, 60) n";

/// Names and queries. A stream table may read another one.
const STREAM_TABLES: [(&str, &str); 10] = [
    ("big", "SELECT id, customer, amount FROM orders WHERE amount > 10"),
    (
        "totals",
        "SELECT customer, count(*) AS orders, sum(amount) AS total, max(amount) AS most FROM orders GROUP BY customer",
    ),
    (
        "by_city",
        "SELECT c.city, t.orders, t.total FROM totals t JOIN customers c ON c.id = t.customer",
    ),
    (
        "all_customers",
        "SELECT c.id, c.city, o.id AS an_order FROM customers c LEFT JOIN orders o ON o.customer = c.id",
    ),
    ("cities", "SELECT DISTINCT city FROM customers"),
    (
        "idle",
        "SELECT id FROM customers c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer = c.id)",
    ),
    (
        "above",
        "SELECT id, amount FROM orders WHERE amount > (SELECT avg(amount) FROM orders)",
    ),
    ("top", "SELECT id, amount FROM orders ORDER BY amount DESC, id LIMIT 5"),
    (
        "ranks",
        "SELECT id, customer, rank() OVER (PARTITION BY customer ORDER BY amount DESC, id) AS place FROM orders",
    ),
    (
        "tree",
        "WITH RECURSIVE t AS (SELECT id, 1 AS depth FROM customers WHERE parent IS NULL
           UNION ALL SELECT c.id, t.depth + 1 FROM customers c JOIN t ON c.parent = t.id WHERE t.depth < 9)
         SELECT id, depth FROM t",
    ),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::read()?;
    let extension = extension_folder()?;
    println!("seed {}", options.seed);
    let start = Instant::now();
    let mut db = open(&extension, options.data.clone())?;
    let version = value(&mut db, "SHOW server_version")?;
    println!(
        "PostgreSQL {version} in this process after {} ms",
        start.elapsed().as_millis()
    );
    let outcome = check(&mut db, &options);
    db.close()?;
    outcome
}

fn check(db: &mut Oliphaunt, options: &Options) -> Result<(), Failure> {
    if value(db, "SELECT to_regclass('orders') IS NULL")? == "t" {
        db.exec("CREATE EXTENSION pg_trickle")?;
        db.exec(SCHEMA)?;
        for (name, query) in STREAM_TABLES {
            create(db, name, query)?;
        }
    } else {
        println!("the database of an earlier run");
    }
    compare(db).map_err(|failure| format!("before the first change: {failure}"))?;
    if options.unmaintained {
        db.exec("SET session_replication_role = replica")?;
    }
    let mut random = Random(options.seed);
    let mut undone = 0;
    for number in 1..=options.changes {
        let change = Change::any(&mut random);
        let in_change = |failure: Failure| format!("change {number}, {}: {failure}", change.sql);
        undone += u64::from(!change.apply(db).map_err(in_change)?);
        compare(db).map_err(in_change)?;
    }
    let (changes, tables) = (options.changes, STREAM_TABLES.len());
    println!(
        "{changes} changes, {undone} of them undone; {tables} stream tables equal their queries after each of them"
    );
    Ok(())
}

/// Fails when a stream table has a row more or less than its query, duplicates counted.
fn compare(db: &mut Oliphaunt) -> Result<(), Failure> {
    for (name, query) in STREAM_TABLES {
        let wrong = value(
            db,
            &format!(
                "SELECT count(*) FROM ((TABLE {name} EXCEPT ALL ({query})) UNION ALL (({query}) EXCEPT ALL TABLE {name})) wrong"
            ),
        )?;
        if wrong != "0" {
            return Err(format!("{name} differs from its query by {wrong} rows").into());
        }
    }
    Ok(())
}

struct Change {
    sql: String,
    /// The error that PostgreSQL has to raise.
    error: Option<&'static str>,
    commits: bool,
}

impl Change {
    fn any(random: &mut Random) -> Change {
        let mut sql = statement(random);
        let (mut error, mut commits) = (None, true);
        match random.below(10) {
            0 => {
                sql = format!("BEGIN; {sql}; {}; ROLLBACK", statement(random));
                commits = false;
            }
            1 | 2 => {
                sql = format!(
                    "BEGIN; {sql}; SAVEPOINT s; {}; ROLLBACK TO s; {}; COMMIT",
                    statement(random),
                    statement(random)
                )
            }
            3 => {
                // What the first statement has done is undone, too.
                sql = format!("{sql}; SELECT 1 / 0");
                error = Some("22012");
            }
            _ => {}
        }
        Change { sql, error, commits }
    }

    /// Tells whether the change was kept.
    fn apply(&self, db: &mut Oliphaunt) -> Result<bool, Failure> {
        match (db.exec(&self.sql), self.error) {
            (Ok(_), None) => Ok(self.commits),
            (Ok(_), Some(expected)) => Err(format!("no error, though {expected} was due").into()),
            (Err(error), Some(expected))
                if error.postgres_error().and_then(|e| e.sqlstate.as_deref()) == Some(expected) =>
            {
                Ok(false)
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// A statement that changes none, one or more rows.
fn statement(random: &mut Random) -> String {
    let (order, customer, other) = (random.below(90), random.below(25), random.below(25));
    let (amount, city) = (random.below(2000) as f64 / 100.0, random.below(6));
    match random.below(10) {
        0 | 1 => format!(
            "INSERT INTO orders VALUES ({order}, {customer}, {amount}), ({order} + 100, {other}, NULL)
             ON CONFLICT (id) DO UPDATE SET amount = excluded.amount"
        ),
        2 | 3 => format!("UPDATE orders SET amount = {amount} WHERE id = {order}"),
        4 => format!("UPDATE orders SET customer = {other} WHERE customer = {customer}"),
        5 => format!("DELETE FROM orders WHERE id IN ({order}, {order} + 1)"),
        6 => format!(
            "INSERT INTO customers VALUES ({customer}, {other}, 'city {city}') ON CONFLICT (id) DO UPDATE SET city = excluded.city"
        ),
        7 => format!("UPDATE customers SET parent = nullif({other}, {customer}) WHERE id = {customer}"),
        8 => format!("DELETE FROM customers WHERE id = {customer}"),
        _ => format!("UPDATE orders SET amount = amount + 1 WHERE id % 10 = {}", order % 10),
    }
}

/// SplitMix64: the same numbers for the same seed, on each machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

struct Options {
    changes: u64,
    seed: u64,
    data: Option<PathBuf>,
    unmaintained: bool,
}

impl Options {
    fn read() -> Result<Options, Failure> {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64 % 1_000_000;
        let mut options = Options {
            changes: 250,
            seed,
            data: None,
            unmaintained: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(format!("{word} needs a value"));
            let number = |value: String| value.parse().map_err(|_| format!("{word} needs a number, not {value}"));
            match word.as_str() {
                "--changes" => options.changes = number(next()?)?,
                "--seed" => options.seed = number(next()?)?,
                "--data" => options.data = Some(next()?.into()),
                "--unmaintained" => options.unmaintained = true,
                _ => return Err(format!("there is no option {word}").into()),
            }
        }
        Ok(options)
    }
}
