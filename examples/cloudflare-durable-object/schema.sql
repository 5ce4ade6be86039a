-- Runs once, when the Worker is built: the prepared data directory has all of it.
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL);
CREATE TABLE orders (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product int NOT NULL REFERENCES products,
  city text NOT NULL,
  quantity int NOT NULL CHECK (quantity > 0)
);
-- With these, a change reads the rows near it, however many there are.
CREATE INDEX ON orders (product);
CREATE INDEX ON orders (quantity DESC, id);
INSERT INTO products VALUES (1, 'espresso', 3), (2, 'filter coffee', 4), (3, 'cake', 5);

SELECT pgtrickle.create_stream_table('sales_by_city',
  $$SELECT o.city, count(*)::int AS orders, sum(o.quantity * p.price)::int AS revenue
    FROM orders o JOIN products p ON p.id = o.product GROUP BY o.city$$);
SELECT pgtrickle.create_stream_table('sales_by_product',
  $$SELECT p.id, p.name, sum(o.quantity)::int AS sold
    FROM products p JOIN orders o ON o.product = p.id GROUP BY p.id, p.name$$);
SELECT pgtrickle.create_stream_table('largest_orders',
  'SELECT id, city, product, quantity FROM orders ORDER BY quantity DESC, id LIMIT 5');
