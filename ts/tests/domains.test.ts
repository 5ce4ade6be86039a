/** Domains that refuse NULL: columns of them can be NULL where no value is cast to them. */
import { runCases } from './support/cases.js'

runCases('domains', [
  {
    name: 'that are NOT NULL, or check for it',
    setup: [
      'CREATE DOMAIN d AS int NOT NULL',
      'CREATE DOMAIN dc AS text CHECK (VALUE IS NOT NULL)',
      'CREATE TYPE pair AS (x int, y text)',
      'CREATE DOMAIN dp AS pair NOT NULL',
      'CREATE TABLE k (a int PRIMARY KEY, b d, c dc, p dp)',
      "INSERT INTO k VALUES (1, 10, 'x', ROW(1, 'p')), (2, 20, 'y', ROW(2, NULL)), (3, 10, 'x', ROW(1, 'p'))",
      'CREATE TABLE l (a int PRIMARY KEY, e d)',
      'INSERT INTO l VALUES (1, 5), (4, 6)',
    ],
    views: {
      plain: 'SELECT a, b, c, p FROM k',
      joined: 'SELECT k.a, k.b, l.e FROM k JOIN l ON l.a = k.a',
      keyless: 'SELECT b, c FROM k',
      grouped: 'SELECT b, count(*) AS n, max(c) AS m, count(DISTINCT c) AS dc FROM k GROUP BY b',
      distinct_arguments: 'SELECT b, count(DISTINCT p) AS dp, count(DISTINCT a % 2) AS o FROM k GROUP BY b',
      rolled_up: 'SELECT b, c, count(*) AS n FROM k GROUP BY ROLLUP (b, c)',
      left_joined: 'SELECT k.a, l.e FROM k LEFT JOIN l ON l.a = k.a',
      full_joined: 'SELECT k.b, k.p, l.e FROM k FULL JOIN l ON l.a = k.a',
      windowed: 'SELECT a, lag(b) OVER (ORDER BY a) AS p FROM k',
      united: 'SELECT b FROM k UNION ALL SELECT e FROM l',
      looked_up: 'SELECT a, (SELECT e FROM l WHERE l.a = k.a) AS e FROM k',
    },
    steps: [
      "UPDATE k SET b = 11, c = 'z' WHERE a = 1",
      "INSERT INTO k VALUES (4, 20, 'q', ROW(NULL, NULL))",
      'UPDATE k SET a = a + 10',
      'UPDATE l SET a = a + 10, e = e + 1',
      'DELETE FROM k WHERE b = 20',
      'DELETE FROM l',
      '!UPDATE k SET b = NULL WHERE a = 11',
      'DELETE FROM k',
    ],
  },
])
