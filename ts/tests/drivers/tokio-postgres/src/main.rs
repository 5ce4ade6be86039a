//! What tokio-postgres does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST and PGPORT.

use std::error::Error;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, TryStreamExt, future, pin_mut, stream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::{AsyncMessage, Client, NoTls};

type Outcome = Result<(), Box<dyn Error>>;

fn equal<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}").into()) }
}

fn report(name: &str, outcome: Outcome) -> bool {
    match outcome {
        Ok(()) => println!("ok {name}"),
        Err(ref error) => println!("failed {name}: {error} {:?}", error.source().map(|cause| cause.to_string())),
    }
    outcome.is_ok()
}

fn address() -> String {
    let variable = |name| std::env::var(name).expect("PGHOST and PGPORT");
    format!("host={} port={} user=postgres dbname=postgres", variable("PGHOST"), variable("PGPORT"))
}

async fn count(client: &Client, customer: i32) -> Result<i64, Box<dyn Error>> {
    Ok(client.query_one("SELECT n FROM totals WHERE customer = $1", &[&customer]).await?.get(0))
}

async fn create(client: &Client) -> Outcome {
    client.batch_execute("CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)").await?;
    let query = "SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer";
    client.query("SELECT pgtrickle.create_stream_table('totals', $1)::text", &[&query]).await?;
    Ok(())
}

async fn change(client: &Client) -> Outcome {
    client.execute("INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)", &[]).await?;
    client.execute("UPDATE orders SET customer = 8 WHERE id = 2", &[]).await?;
    let total: String = client.query_one("SELECT total::text FROM totals WHERE customer = 7", &[]).await?.get(0);
    equal(total.as_str(), "10.50")?;
    equal(client.query_one("SELECT ok FROM pgtrickle.verify_stream_table('totals')", &[]).await?.get(0), true)
}

async fn error_with_hint(client: &Client) -> Outcome {
    let sql = "SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')";
    let failed = client.batch_execute(sql).await.expect_err("no error");
    let error = failed.as_db_error().ok_or("not an error of the database")?;
    equal((error.code().code(), error.hint().is_some()), ("0A000", true))
}

async fn parameters(client: &Client) -> Outcome {
    let row = client.query_one("SELECT $1::int + 1, $2::text", &[&41, &"ü'\\"]).await?;
    equal((row.get(0), row.get(1)), (42, "ü'\\"))
}

async fn prepared(client: &Client, other: &Client) -> Outcome {
    let one = client.prepare("SELECT n FROM totals WHERE customer = $1").await?;
    let beside = other.prepare("SELECT total::text FROM totals WHERE customer = $1").await?;
    for (customer, n) in [(7, 1i64), (8, 2), (7, 1)] {
        equal(client.query_one(&one, &[&customer]).await?.get(0), n)?;
        other.query_one(&beside, &[&customer]).await?;
    }
    Ok(())
}

async fn batch(client: &Client) -> Outcome {
    let ids: Vec<i32> = (10..20).collect();
    let insert = client.prepare("INSERT INTO orders VALUES ($1, 9, 1)").await?;
    let parameters: Vec<[&(dyn tokio_postgres::types::ToSql + Sync); 1]> = ids.iter().map(|id| [id as _]).collect();
    future::try_join_all(parameters.iter().map(|values| client.execute(&insert, values))).await?;
    equal(count(client, 9).await?, 10)
}

async fn transaction(client: &mut Client) -> Outcome {
    let transaction = client.transaction().await?;
    transaction.execute("DELETE FROM orders", &[]).await?;
    transaction.rollback().await?;
    equal(count(client, 9).await?, 10)
}

async fn savepoint(client: &mut Client) -> Outcome {
    let mut transaction = client.transaction().await?;
    transaction.execute("INSERT INTO orders VALUES (30, 30, 1)", &[]).await?;
    let nested = transaction.savepoint("s").await?;
    nested.batch_execute("SELECT 1 / 0").await.expect_err("no error");
    nested.rollback().await?;
    transaction.commit().await?;
    equal(count(client, 30).await?, 1)
}

async fn cursor(client: &mut Client) -> Outcome {
    let transaction = client.transaction().await?;
    let portal = transaction.bind("SELECT id FROM orders ORDER BY id", &[]).await?;
    equal(transaction.query_portal(&portal, 3).await?.len(), 3)?;
    equal(transaction.query_portal(&portal, 0).await?.len(), 11)?;
    Ok(transaction.commit().await?)
}

async fn copy_in(client: &Client) -> Outcome {
    let sink = client.copy_in("COPY orders FROM STDIN").await?;
    pin_mut!(sink);
    for n in 100..1100 {
        sink.send(std::io::Cursor::new(format!("{n}\t100\t1\n"))).await?;
    }
    sink.finish().await?;
    equal(count(client, 100).await?, 1000)
}

async fn copy_out(client: &Client) -> Outcome {
    let rows = client.copy_out("COPY (SELECT * FROM totals WHERE customer = 7) TO STDOUT").await?;
    let rows: Vec<_> = rows.try_collect().await?;
    equal(rows.concat(), b"7\t1\t10.50\n".to_vec())
}

async fn hear(heard: &mut UnboundedReceiver<String>, expected: &str) -> Outcome {
    match tokio::time::timeout(Duration::from_secs(10), heard.recv()).await {
        Ok(Some(payload)) => equal(payload.as_str(), expected),
        _ => Err("heard nothing".into()),
    }
}

async fn feed(client: &Client, listener: &Client, heard: &mut UnboundedReceiver<String>) -> Outcome {
    listener.batch_execute("LISTEN pgtrickle").await?;
    let begin: i64 = client.query_one("SELECT pgtrickle.keep_changes('totals')", &[]).await?.get(0);
    client.batch_execute("INSERT INTO orders VALUES (50, 50, 2.50)").await?;
    hear(heard, &format!("{{\"public.totals\":{}}}", begin + 1)).await?;
    let sql = "SELECT seq, op, c.row ->> 'total' FROM pgtrickle.changes('totals', after => $1) c";
    let change = client.query_one(sql, &[&begin]).await?;
    equal((change.get(0), change.get(1), change.get(2)), (begin + 1, "insert", "2.50"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let (mut client, connection) = tokio_postgres::connect(&address(), NoTls).await?;
    tokio::spawn(connection);
    let (listener, mut connection) = tokio_postgres::connect(&address(), NoTls).await?;
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                let _ = sender.send(notification.payload().to_owned());
            }
        }
    });
    println!("driver tokio-postgres {}", env!("TOKIO_POSTGRES_VERSION"));
    println!("settings none");

    let mut fine = true;
    fine &= report("create", create(&client).await);
    fine &= report("change", change(&client).await);
    fine &= report("error with hint", error_with_hint(&client).await);
    fine &= report("parameters", parameters(&client).await);
    fine &= report("prepared", prepared(&client, &listener).await);
    fine &= report("batch", batch(&client).await);
    fine &= report("transaction", transaction(&mut client).await);
    fine &= report("savepoint", savepoint(&mut client).await);
    fine &= report("cursor", cursor(&mut client).await);
    fine &= report("COPY in", copy_in(&client).await);
    fine &= report("COPY out", copy_out(&client).await);
    listener.batch_execute("LISTEN news").await?;
    client.batch_execute("NOTIFY news, 'from another connection'").await?;
    let outcome = hear(&mut heard, "from another connection").await;
    fine &= report("LISTEN", outcome);
    fine &= report("feed", feed(&client, &listener, &mut heard).await);
    std::process::exit(i32::from(!fine))
}
