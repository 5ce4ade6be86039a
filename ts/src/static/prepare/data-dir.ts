/** A data directory with the extensions in it, small: made by the PGlite that will open it. */
import type { Extension } from './extension.js'

/** The part of PGlite that is used here. */
interface Database {
  exec(sql: string): Promise<unknown>
  dumpDataDir(compression: 'gzip'): Promise<Blob>
  close(): Promise<void>
}

/** The class PGlite of the package that is prepared. */
export interface Host {
  PGlite: {
    create(options: object): Promise<Database>
    defaultStartParams: readonly string[]
  }
}

/**
 * The databases that others are copied from are dropped: nothing copies them here, and they are two thirds of a fresh
 * data directory. The log has segments of 1 MiB in place of 16.
 */
const DROP_TEMPLATES = `
  ALTER DATABASE template0 IS_TEMPLATE false;
  ALTER DATABASE template1 IS_TEMPLATE false;
  DROP DATABASE template0;
  DROP DATABASE template1;`

export async function makeDataDir(
  host: Host,
  extensions: Record<string, Extension>,
  startParams: readonly string[],
  sql: readonly string[],
): Promise<Uint8Array> {
  const initDbStartParams = ['--wal-segsize=1']
  const pg = await host.PGlite.create({ extensions, startParams: [...startParams], initDbStartParams })
  try {
    for (const script of sql) await pg.exec(script)
    for (const statement of DROP_TEMPLATES.split(';')) await pg.exec(statement)
    await pg.exec('VACUUM')
    await pg.exec('CHECKPOINT')
    const dump = await pg.dumpDataDir('gzip')
    return new Uint8Array(await dump.arrayBuffer())
  } finally {
    await pg.close()
  }
}

/** Settings of PostgreSQL for a database that has little memory, and one session. */
export function smallStartParams(defaults: readonly string[], major: number): string[] {
  const settings: Record<string, string> = {
    shared_buffers: '1MB',
    wal_buffers: '64kB',
    max_wal_size: '8MB',
    min_wal_size: '2MB',
    work_mem: '1MB',
    maintenance_work_mem: '4MB',
    max_connections: '5',
    max_wal_senders: '0',
    max_replication_slots: '0',
    autovacuum_max_workers: '1',
    ...(major >= 18 && { autovacuum_worker_slots: '1', io_max_concurrency: '1' }),
  }
  return [...defaults, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
