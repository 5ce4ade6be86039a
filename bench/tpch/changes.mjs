// Statements on all eight tables. Every query must be correct after each of them.

const COPY = {
  region: ['r_regionkey + 5', 'r_name', 'r_comment'],
  nation: ['n_nationkey + 25', 'n_name', 'n_regionkey', 'n_comment'],
  supplier: ['s_suppkey + 1000000', 's_name', 's_address', 's_nationkey', 's_phone', 's_acctbal', 's_comment'],
  part: [
    'p_partkey + 1000000',
    'p_name',
    'p_mfgr',
    'p_brand',
    'p_type',
    'p_size',
    'p_container',
    'p_retailprice',
    'p_comment',
  ],
  partsupp: ['ps_partkey', 'ps_suppkey + 1000000', 'ps_availqty', 'ps_supplycost', 'ps_comment'],
  customer: [
    'c_custkey + 1000000',
    'c_name',
    'c_address',
    'c_nationkey',
    'c_phone',
    'c_acctbal',
    'c_mktsegment',
    'c_comment',
  ],
  orders: [
    'o_orderkey + 10000000',
    'o_custkey',
    'o_orderstatus',
    'o_totalprice',
    'o_orderdate',
    'o_orderpriority',
    'o_clerk',
    'o_shippriority',
    'o_comment',
  ],
  lineitem: [
    'l_orderkey + 10000000',
    'l_partkey',
    'l_suppkey',
    'l_linenumber',
    'l_quantity',
    'l_extendedprice',
    'l_discount',
    'l_tax',
    'l_returnflag',
    'l_linestatus',
    'l_shipdate',
    'l_commitdate',
    'l_receiptdate',
    'l_shipinstruct',
    'l_shipmode',
    'l_comment',
  ],
}

/** An INSERT that copies the rows selected by `where`, with new keys. */
const insert = (table, where) => `INSERT INTO ${table} SELECT ${COPY[table].join(', ')} FROM ${table} WHERE ${where}`

/** An even sample of about one row in `n`, by key. */
const some = (column, n, rest) => `hashint4(${column}) % ${n} = ${rest}`

/** `[description, SQL]`, in order. */
export const CHANGES = [
  // One row at a time.
  ['insert region', insert('region', 'r_regionkey = 3')],
  ['insert nation', insert('nation', 'n_nationkey = 7')],
  ['insert supplier', insert('supplier', 's_suppkey = 7')],
  ['insert part', insert('part', 'p_partkey = 55')],
  ['insert partsupp', insert('partsupp', 'ctid = (SELECT min(ctid) FROM partsupp WHERE ps_partkey = 10)')],
  ['insert customer', insert('customer', 'c_custkey = 12')],
  ['insert orders', insert('orders', 'o_orderkey = 5')],
  ['insert lineitem', insert('lineitem', 'l_orderkey = 5 AND l_linenumber = 1')],
  ['update region', `UPDATE region SET r_name = 'ASIA' WHERE r_regionkey = 3`],
  ['update region back', `UPDATE region SET r_name = 'EUROPE' WHERE r_regionkey = 3`],
  ['update nation', `UPDATE nation SET n_regionkey = 2 WHERE n_nationkey = 7`],
  ['update nation name', `UPDATE nation SET n_name = 'CANADA' WHERE n_nationkey = 24`],
  ['update supplier', `UPDATE supplier SET s_nationkey = 7, s_acctbal = s_acctbal + 1000 WHERE s_suppkey = 3`],
  ['update supplier comment', `UPDATE supplier SET s_comment = 'Customer bad Complaints' WHERE s_suppkey = 5`],
  ['update part', `UPDATE part SET p_brand = 'Brand#23', p_container = 'MED BOX', p_size = 15 WHERE p_partkey = 20`],
  [
    'update partsupp',
    `UPDATE partsupp SET ps_supplycost = 1, ps_availqty = 9999
    WHERE ctid = (SELECT min(ctid) FROM partsupp WHERE ps_partkey = 20)`,
  ],
  ['update customer', `UPDATE customer SET c_acctbal = 9999, c_mktsegment = 'BUILDING' WHERE c_custkey = 25`],
  ['update orders', `UPDATE orders SET o_custkey = 26, o_orderdate = date '1993-11-11' WHERE o_orderkey = 7`],
  [
    'update lineitem',
    `UPDATE lineitem SET l_quantity = 3, l_extendedprice = 99999, l_shipdate = date '1995-09-11'
    WHERE l_orderkey = 32 AND l_linenumber = 1`,
  ],
  ['update lineitem of Q18', `UPDATE lineitem SET l_quantity = 400 WHERE l_orderkey = 33 AND l_linenumber = 1`],
  ['delete lineitem', `DELETE FROM lineitem WHERE l_orderkey = 34 AND l_linenumber = 1`],
  ['delete orders', `DELETE FROM orders WHERE o_orderkey = 35`],
  ['delete customer', `DELETE FROM customer WHERE c_custkey = 40`],
  ['delete partsupp', `DELETE FROM partsupp WHERE ctid = (SELECT min(ctid) FROM partsupp WHERE ps_partkey = 30)`],
  ['delete part', `DELETE FROM part WHERE p_partkey = 31`],
  ['delete supplier', `DELETE FROM supplier WHERE s_suppkey = 9`],
  ['delete nation', `DELETE FROM nation WHERE n_nationkey = 32`],
  ['delete region', `DELETE FROM region WHERE r_regionkey = 2`],
  ['insert region again', `INSERT INTO region VALUES (2, 'ASIA', 'back')`],
  // Batches.
  [
    'update 50 lineitems',
    `UPDATE lineitem SET l_receiptdate = l_receiptdate + 20, l_discount = 0.06
    WHERE l_orderkey < 60`,
  ],
  ['delete 1 % of lineitem', `DELETE FROM lineitem WHERE ${some('l_orderkey', 100, 1)}`],
  ['insert 1 % of lineitem', insert('lineitem', some('l_orderkey', 100, 2))],
  [
    'update 2 % of orders',
    `UPDATE orders SET o_orderdate = o_orderdate + 30, o_custkey = o_custkey + 1
    WHERE ${some('o_orderkey', 50, 3)}`,
  ],
  [
    'update 5 % of customer',
    `UPDATE customer SET c_acctbal = c_acctbal - 500, c_nationkey = (c_nationkey + 1) % 25
    WHERE ${some('c_custkey', 20, 4)}`,
  ],
  [
    'update 5 % of partsupp',
    `UPDATE partsupp SET ps_supplycost = ps_supplycost * 0.5 WHERE ${some('ps_partkey', 20, 5)}`,
  ],
  ['update all suppliers', `UPDATE supplier SET s_nationkey = (s_nationkey + 1) % 25`],
  ['delete 5 % of part', `DELETE FROM part WHERE ${some('p_partkey', 20, 6)}`],
  // Several tables in one statement.
  [
    'insert orders with lineitems',
    `WITH o AS (${insert('orders', some('o_orderkey', 200, 7))} RETURNING 1)
    ${insert('lineitem', some('l_orderkey', 200, 7))}`,
  ],
  [
    'delete orders with lineitems',
    `WITH l AS (DELETE FROM lineitem WHERE ${some('l_orderkey', 200, 8)} RETURNING 1)
    DELETE FROM orders WHERE ${some('o_orderkey', 200, 8)}`,
  ],
  [
    'update three small tables',
    `WITH a AS (UPDATE nation SET n_regionkey = (n_regionkey + 1) % 5 WHERE n_nationkey < 5 RETURNING 1),
      b AS (UPDATE region SET r_name = 'AMERICA' WHERE r_regionkey = 0 RETURNING 1)
    UPDATE supplier SET s_nationkey = (s_nationkey + 3) % 25 WHERE s_suppkey < 20`,
  ],
  [
    'update one row in each of six tables',
    `WITH a AS (UPDATE customer SET c_nationkey = 6 WHERE c_custkey = 7 RETURNING 1),
      b AS (UPDATE orders SET o_custkey = 7 WHERE o_orderkey = 64 RETURNING 1),
      c AS (UPDATE lineitem SET l_suppkey = 7, l_partkey = 7 WHERE l_orderkey = 64 RETURNING 1),
      d AS (UPDATE partsupp SET ps_supplycost = 2 WHERE ps_partkey = 7 RETURNING 1),
      e AS (UPDATE part SET p_name = 'forest green', p_type = 'ECONOMY ANODIZED STEEL' WHERE p_partkey = 7 RETURNING 1)
    UPDATE supplier SET s_nationkey = 7 WHERE s_suppkey = 7`,
  ],
  [
    'swap keys',
    `UPDATE supplier SET s_suppkey = CASE s_suppkey WHEN 10 THEN -11 WHEN 11 THEN -10 END
    WHERE s_suppkey IN (10, 11)`,
  ],
  [
    'merge',
    `MERGE INTO orders USING (SELECT 70 AS k UNION ALL SELECT 71 UNION ALL SELECT 99999999) s ON o_orderkey = k
    WHEN MATCHED AND k = 70 THEN DELETE
    WHEN MATCHED THEN UPDATE SET o_custkey = 3, o_orderstatus = 'F'
    WHEN NOT MATCHED THEN INSERT VALUES (k, 3, 'F', 100, date '1994-01-05', '1-URGENT', 'x', 0, 'none')`,
  ],
  ['delete all suppliers of one nation', `DELETE FROM supplier WHERE s_nationkey = 7`],
  ['delete the European region', `DELETE FROM region WHERE r_name = 'EUROPE'`],
  ['truncate customer', `TRUNCATE customer`],
]

/** For timing: the columns of each table that every query over it reads, so that no UPDATE is skipped. */
export const TOUCH = {
  lineitem: `l_extendedprice = l_extendedprice + 1, l_quantity = l_quantity + 1, l_suppkey = l_suppkey,
    l_shipdate = l_shipdate, l_receiptdate = l_receiptdate`,
  orders: `o_totalprice = o_totalprice + 1, o_custkey = o_custkey + 1, o_orderdate = o_orderdate`,
  partsupp: `ps_supplycost = ps_supplycost + 1, ps_availqty = ps_availqty + 1`,
}

/** For timing: the primary key. */
export const KEY = {
  lineitem: ['l_orderkey', 'l_linenumber'],
  orders: ['o_orderkey'],
  partsupp: ['ps_partkey', 'ps_suppkey'],
}
