// What the JDBC driver does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST, PGPORT, ...
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Savepoint;
import java.sql.SQLException;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;
import org.postgresql.util.PSQLException;

public class Conformance {
  interface Check {
    void run() throws Exception;
  }

  static boolean failed = false;
  static Connection connection;

  static void step(String name, Check check) {
    try {
      check.run();
      System.out.println("ok " + name);
    } catch (Exception | AssertionError error) {
      failed = true;
      System.out.println("failed " + name + ": " + String.valueOf(error).replace('\n', ' '));
    }
  }

  static void equal(Object found, Object expected) {
    if (!Objects.equals(found, expected)) throw new AssertionError(found + ", not " + expected);
  }

  static void run(String... statements) throws SQLException {
    try (var statement = connection.createStatement()) {
      for (String sql : statements) statement.execute(sql);
    }
  }

  static Object value(Connection on, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = on.prepareStatement(sql)) {
      for (int n = 0; n < parameters.length; n++) statement.setObject(n + 1, parameters[n]);
      try (ResultSet found = statement.executeQuery()) {
        return found.next() ? found.getObject(1) : null;
      }
    }
  }

  static Object count(int customer) throws SQLException {
    return value(connection, "SELECT n FROM totals WHERE customer = ?", customer);
  }

  public static void main(String[] arguments) throws Exception {
    String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/postgres?user=postgres";
    connection = DriverManager.getConnection(url);
    Connection listener = DriverManager.getConnection(url);
    System.out.println("driver JDBC " + Driver.class.getPackage().getImplementationVersion());
    System.out.println("settings none");

    step("create", () -> {
      run("CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)");
      value(connection, "SELECT pgtrickle.create_stream_table('totals', ?)",
          "SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer");
    });
    step("change", () -> {
      run("INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)", "UPDATE orders SET customer = 8 WHERE id = 2");
      equal(value(connection, "SELECT total FROM totals WHERE customer = 7"), new BigDecimal("10.50"));
      equal(value(connection, "SELECT ok FROM pgtrickle.verify_stream_table('totals')"), true);
    });
    step("error with hint", () -> {
      try {
        run("SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')");
      } catch (PSQLException error) {
        equal(error.getSQLState(), "0A000");
        if (error.getServerErrorMessage().getHint() == null) throw new AssertionError("no hint");
        return;
      }
      throw new AssertionError("no error");
    });
    step("parameters", () -> {
      equal(value(connection, "SELECT ?::int + 1", 41), 42);
      equal(value(connection, "SELECT ?::text", "ü'\\"), "ü'\\");
    });
    step("prepared", () -> {
      // From the fifth time on, the driver gives the statement a name, which both connections choose alike.
      for (int n = 0; n < 12; n++) {
        try (PreparedStatement one = connection.prepareStatement("SELECT n FROM totals WHERE customer = ?");
            PreparedStatement other = listener.prepareStatement("SELECT total FROM totals WHERE customer = ?")) {
          for (int customer : new int[] {7, 8}) {
            one.setInt(1, customer);
            other.setInt(1, customer);
            try (ResultSet found = one.executeQuery(); ResultSet beside = other.executeQuery()) {
              found.next();
              beside.next();
              equal(found.getLong(1), customer == 7 ? 1L : 2L);
            }
          }
        }
      }
    });
    step("batch", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO orders VALUES (?, 9, 1)")) {
        for (int n = 10; n < 20; n++) {
          insert.setInt(1, n);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      equal(count(9), 10L);
    });
    step("transaction", () -> {
      connection.setAutoCommit(false);
      run("DELETE FROM orders");
      equal(value(connection, "SELECT count(*) FROM totals"), 0L);
      connection.rollback();
      equal(value(connection, "SELECT count(*) FROM totals"), 3L);
      connection.commit();
      connection.setAutoCommit(true);
    });
    step("savepoint", () -> {
      connection.setAutoCommit(false);
      run("INSERT INTO orders VALUES (30, 30, 1)");
      Savepoint savepoint = connection.setSavepoint();
      try {
        run("SELECT 1 / 0");
        throw new AssertionError("no error");
      } catch (SQLException error) {
        connection.rollback(savepoint);
      }
      connection.commit();
      connection.setAutoCommit(true);
      equal(count(30), 1L);
    });
    step("cursor", () -> {
      connection.setAutoCommit(false);
      int rows = 0;
      try (PreparedStatement select = connection.prepareStatement("SELECT id FROM orders ORDER BY id")) {
        select.setFetchSize(3);
        try (ResultSet found = select.executeQuery()) {
          while (found.next()) rows++;
        }
      }
      connection.commit();
      connection.setAutoCommit(true);
      equal(rows, 14);
    });
    step("COPY in", () -> {
      String rows = IntStream.range(100, 1100).mapToObj(n -> n + "\t100\t1\n").collect(Collectors.joining());
      new CopyManager((BaseConnection) connection).copyIn("COPY orders FROM STDIN", new StringReader(rows));
      equal(count(100), 1000L);
    });
    step("COPY out", () -> {
      StringWriter copied = new StringWriter();
      new CopyManager((BaseConnection) connection).copyOut("COPY (SELECT * FROM totals WHERE customer = 7) TO STDOUT", copied);
      equal(copied.toString(), "7\t1\t10.50\n");
    });
    step("LISTEN", () -> {
      try (var statement = listener.createStatement()) {
        statement.execute("LISTEN news");
      }
      run("NOTIFY news, 'from another connection'");
      var heard = listener.unwrap(PGConnection.class).getNotifications(10_000);
      equal(heard.length, 1);
      equal(heard[0].getParameter(), "from another connection");
    });
    step("feed", () -> {
      try (var statement = listener.createStatement()) {
        statement.execute("LISTEN pgtrickle");
      }
      long begin = (Long) value(connection, "SELECT pgtrickle.keep_changes('totals')");
      run("INSERT INTO orders VALUES (50, 50, 2.50)");
      var heard = listener.unwrap(PGConnection.class).getNotifications(10_000);
      equal(heard.length, 1);
      equal(heard[0].getParameter(), "{\"public.totals\":" + (begin + 1) + "}");
      String sql = "SELECT seq || ' ' || op || ' ' || (c.row ->> 'total') FROM pgtrickle.changes('totals', after => ?) c";
      equal(value(connection, sql, begin), (begin + 1) + " insert 2.50");
    });
    connection.close();
    listener.close();
    System.exit(failed ? 1 : 0);
  }
}
