import type { Dataset } from '.'

/** A grid of 40 by 40 towns. Three of ten roads between neighbours are not built yet. */
const SQL = `
  CREATE TABLE town (id int PRIMARY KEY, name text NOT NULL, people int NOT NULL);
  CREATE TABLE road (a int NOT NULL, b int NOT NULL, km int NOT NULL, PRIMARY KEY (a, b));
  INSERT INTO town
  SELECT g, (ARRAY['Al','Ber','Cal','Dor','El','Far','Gor','Har','In','Jor','Kal','Lor','Mor','Nor','Or','Par','Quar','Ros','Sal','Tor'])
      [1 + g % 20] || (ARRAY['au','bach','burg','dorf','egg','feld','gen','heim','ingen','kirch','lach','mund','nau','on','port','see','stein','tal','wald','wil'])
      [1 + g / 20 % 20] || (ARRAY['',' am See',' im Tal',' Neustadt'])[1 + g / 400], 200 + (hashint4(g) & 65535) % 9000
  FROM generate_series(0, 1599) g;
  WITH pair AS (
    SELECT g AS a, g + 1 AS b FROM generate_series(0, 1599) g WHERE g % 40 < 39
    UNION ALL SELECT g, g + 40 FROM generate_series(0, 1559) g),
  built AS (SELECT a, b, 3 + (hashint4(a * 1000 + b) & 65535) % 25 AS km FROM pair WHERE (hashint4(a * 1600 + b) & 65535) % 10 < 7)
  INSERT INTO road SELECT a, b, km FROM built UNION ALL SELECT b, a, km FROM built;
  CREATE INDEX ON road (b);`

export const graph: Dataset = {
  title: 'Graph',
  load: (pg) => pg.exec(SQL),
  queries: [
    {
      title: 'Reachable towns',
      sql: `WITH RECURSIVE reachable AS (
  SELECT 820 AS id
  UNION
  SELECT r.b FROM reachable JOIN road r ON r.a = reachable.id
)
SELECT t.id, t.name, t.people
FROM reachable JOIN town t ON t.id = reachable.id
ORDER BY t.people DESC, t.id`,
    },
    {
      title: 'Cut off',
      sql: `WITH RECURSIVE reachable AS (
  SELECT 820 AS id
  UNION
  SELECT r.b FROM reachable JOIN road r ON r.a = reachable.id
)
SELECT count(*) AS towns, sum(t.people) AS people
FROM town t
WHERE NOT EXISTS (SELECT FROM reachable WHERE reachable.id = t.id)`,
    },
    {
      title: 'Crossings',
      sql: `SELECT t.id, t.name, count(r.b) AS roads, sum(r.km) AS km
FROM town t
LEFT JOIN road r ON r.a = t.id
GROUP BY t.id, t.name
ORDER BY roads DESC, km DESC, t.id`,
    },
    {
      title: 'Short cuts',
      sql: `SELECT x.a, x.b AS via, y.b, x.km + y.km AS km
FROM road x
JOIN road y ON y.a = x.b AND y.b > x.a
WHERE x.km + y.km < 12
ORDER BY km, x.a, y.b`,
    },
  ],
  changes: [
    {
      title: 'Close a road',
      sql: `WITH one AS (SELECT a, b FROM road ORDER BY random() LIMIT 1)
DELETE FROM road USING one
WHERE road.a IN (one.a, one.b) AND road.b IN (one.a, one.b)`,
    },
    {
      title: 'Build a road',
      sql: `WITH one AS (
  SELECT t.id AS a, t.id + step AS b
  FROM town t, (VALUES (1), (40)) s (step)
  WHERE t.id + step < 1600 AND (step = 40 OR t.id % 40 < 39)
    AND NOT EXISTS (SELECT FROM road WHERE road.a = t.id AND road.b = t.id + step)
  ORDER BY random() LIMIT 1)
INSERT INTO road SELECT a, b, 8 FROM one UNION ALL SELECT b, a, 8 FROM one`,
    },
    {
      title: 'A town grows',
      sql: `UPDATE town SET people = people + 500
WHERE id = (SELECT floor(random() * 1600)::int)`,
    },
    { title: 'Storm', sql: 'DELETE FROM road\nWHERE least(a, b) % 20 = 3' },
  ],
}
