//! How long a new database takes to start, and what a stream table adds to a change of one row among 100,000. A second run
//! with the same folder tells how long this database takes.
//!
//!     cargo run --release --bin measure FOLDER

use std::time::{Duration, Instant};

use oliphaunt::Oliphaunt;
use rust_embedded::{Failure, create, extension_folder, open, value};

const CHANGES: i32 = 500;

fn main() -> Result<(), Failure> {
    let extension = extension_folder()?;
    let data = std::env::args().nth(1).ok_or("measure needs a folder")?;
    let start = Instant::now();
    let mut db = open(&extension, Some(data.into()))?;
    let started = start.elapsed();
    let outcome = if value(&mut db, "SELECT to_regclass('orders') IS NULL")? == "t" {
        println!("start, new database {started:?}");
        measure(&mut db)
    } else {
        println!("start, database of an earlier run {started:?}");
        Ok(())
    };
    db.close()?;
    outcome
}

fn measure(db: &mut Oliphaunt) -> Result<(), Failure> {
    db.exec(
        "CREATE EXTENSION pg_trickle;
         CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(10, 2));
         INSERT INTO orders SELECT n, n % 1000, n % 17 FROM generate_series(1, 100000) n;
         CREATE INDEX ON orders (customer);
         ANALYZE",
    )?;
    println!(
        "UPDATE of one row, median of {CHANGES}: without a stream table {:?}",
        update(db)?
    );
    let start = Instant::now();
    create(
        db,
        "totals",
        "SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer",
    )?;
    println!("create_stream_table {:?}", start.elapsed());
    println!("UPDATE of one row, median of {CHANGES}: with one {:?}", update(db)?);
    Ok(())
}

fn update(db: &mut Oliphaunt) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for number in 0..CHANGES {
        let start = Instant::now();
        db.sql("UPDATE orders SET amount = amount + 1 WHERE id = $1")
            .bind(number * 97 % 100_000 + 1)
            .execute()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}
