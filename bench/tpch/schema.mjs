// Tables, data and indexes of TPC-H. There are primary keys and an index on each foreign key, but no foreign key
// constraints, so that changes may leave rows without a partner, which is harder to maintain.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const GENERATOR = 'tpchgen-cli==4.0.0'

export const TABLES = ['region', 'nation', 'supplier', 'part', 'partsupp', 'customer', 'orders', 'lineitem']

export const SCHEMA = `
  CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
  CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL,
    n_comment varchar(152));
  CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL,
    s_nationkey int NOT NULL, s_phone char(15) NOT NULL, s_acctbal decimal(15,2) NOT NULL,
    s_comment varchar(101) NOT NULL);
  CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL,
    p_brand char(10) NOT NULL, p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL,
    p_retailprice decimal(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
  CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_availqty int NOT NULL,
    ps_supplycost decimal(15,2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
  CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,
    c_nationkey int NOT NULL, c_phone char(15) NOT NULL, c_acctbal decimal(15,2) NOT NULL,
    c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
  CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int NOT NULL, o_orderstatus char(1) NOT NULL,
    o_totalprice decimal(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,
    o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
  CREATE TABLE lineitem (l_orderkey int, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int,
    l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL, l_discount decimal(15,2) NOT NULL,
    l_tax decimal(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL,
    l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber));`

export const INDEXES = `
  CREATE INDEX ON nation (n_regionkey);
  CREATE INDEX ON supplier (s_nationkey);
  CREATE INDEX ON customer (c_nationkey);
  CREATE INDEX ON partsupp (ps_suppkey);
  CREATE INDEX ON orders (o_custkey);
  CREATE INDEX ON lineitem (l_partkey, l_suppkey);
  CREATE INDEX ON lineitem (l_suppkey);`

/** Creates and fills the tables. */
export async function load(pg, scale, progress) {
  const folder = generate(scale, progress)
  await pg.exec(SCHEMA)
  for (const table of TABLES) {
    progress(`loading ${table}`)
    const blob = new Blob([readFileSync(join(folder, `${table}.csv`))])
    await pg.query(`COPY ${table} FROM '/dev/blob' (FORMAT csv, HEADER)`, [], { blob })
  }
  await pg.exec(INDEXES)
  await pg.exec('VACUUM ANALYZE')
}

/** Returns the folder with the data, which Apache's generator creates once. */
function generate(scale, progress) {
  const cache =
    process.env.PG_TRICKLE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pg_trickle')
  const folder = join(cache, `tpch-${scale}`)
  if (TABLES.every((table) => existsSync(join(folder, `${table}.csv`)))) return folder
  const tool = join(cache, 'tpchgen')
  const command = join(tool, 'bin', 'tpchgen-cli')
  mkdirSync(folder, { recursive: true })
  if (!existsSync(command)) {
    progress(`installing ${GENERATOR}`)
    execFileSync(
      'python3',
      ['-m', 'pip', 'install', '--quiet', '--root-user-action=ignore', '--no-deps', '--target', tool, GENERATOR],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
  }
  progress(`generating data at scale ${scale}`)
  execFileSync(command, ['csv', '--scale-factor', String(scale), '--output-dir', folder, '--overwrite', '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return folder
}
