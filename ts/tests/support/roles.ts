/** Roles for tests of what one of them can do to another: `alice` and `mallory`, who attacks. */
import { beforeAll, expect } from 'vitest'
import type { Lab } from './lab.js'
import { useFreshLab } from './use-lab.js'

export const SUMS = 'SELECT k, sum(v) AS s FROM test.t GROUP BY k'

/** A database with a table `t`, the two roles, a schema `mal` of the attacker, and what to do as a role. */
export interface Roles {
  lab: Lab
  /** Runs SQL as a role. */
  as(role: string, sql: string): Promise<void>
  /** Expects that SQL of a role is refused for want of a privilege. */
  refused(role: string, sql: string, message?: RegExp): Promise<void>
  /** Creates a stream table as a role. */
  create(role: string, name: string, query: string): Promise<void>
  /** Who has run `mal.note()` since the last call. */
  loot(): Promise<unknown[]>
}

export function useRoles(): Roles {
  const lab = useFreshLab([
    'GRANT USAGE ON SCHEMA test TO alice, mallory',
    'DROP SCHEMA IF EXISTS mal CASCADE; CREATE SCHEMA mal AUTHORIZATION mallory; GRANT USAGE ON SCHEMA mal TO PUBLIC',
    'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
    'CREATE TABLE loot (who text); GRANT INSERT ON loot TO PUBLIC; GRANT USAGE ON SCHEMA test TO PUBLIC',
    `CREATE FUNCTION mal.note() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog
      AS $$ BEGIN INSERT INTO test.loot VALUES (current_user); END $$`,
  ])
  beforeAll(() => lab.exec('CREATE ROLE alice; CREATE ROLE mallory'))

  const as = async (role: string, sql: string): Promise<void> => {
    await lab.exec(`SET ROLE ${role}`)
    try {
      await lab.exec(sql)
    } finally {
      await lab.exec('ROLLBACK; RESET ROLE; SET search_path = test, public')
    }
  }
  return {
    lab,
    as,
    async refused(role, sql, message = /./) {
      const refusal = { code: '42501', message: expect.stringMatching(message) as string }
      await expect(as(role, sql), sql).rejects.toMatchObject(refusal)
    },
    create: (role, name, query) =>
      as(role, `SELECT pgtrickle.create_stream_table('${name}', '${query.replaceAll("'", "''")}')`),
    async loot() {
      const rows = await lab.exec('SELECT who FROM test.loot')
      await lab.exec('TRUNCATE test.loot')
      return rows.map(({ who }) => who)
    },
  }
}
