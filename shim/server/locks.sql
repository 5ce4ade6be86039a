
-- ---- several sessions ----

-- What sessions wait for before they maintain a stream table: its row, and row 0 before they change which ones there are.
-- A row that is locked has always been updated, so that a transaction with an older snapshot notices.
CREATE TABLE pgtrickle.lock (
  id integer PRIMARY KEY,
  taken bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO pgtrickle.lock VALUES (0);
