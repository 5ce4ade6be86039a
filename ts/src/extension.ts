/** The extension in the database: installs it, and brings it back where it has been dropped. */
import { TrickleError } from './errors.js'
import { internalQuery } from './internal-query.js'
import type { Database, Notice } from './types.js'

/** Returns no row when the extension is not installed, and then reads none of the files that describe extensions. */
const VERSIONS = `
SELECT e.extversion AS installed, (
  SELECT a.default_version FROM pg_catalog.pg_available_extensions a WHERE a.name OPERATOR(pg_catalog.=) e.extname
) AS current
FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'pg_trickle'`

/** Whether scripts lead from one version to another. */
const HAS_PATH = `
SELECT true FROM pg_catalog.pg_extension_update_paths('pg_trickle') p
WHERE p.source OPERATOR(pg_catalog.=) $1 AND p.target OPERATOR(pg_catalog.=) $2 AND p.path IS NOT NULL`

const IS_INSTALLED = "SELECT true FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'pg_trickle'"

const CREATE = 'CREATE EXTENSION pg_trickle'

/** SQLSTATEs. */
const INSUFFICIENT_PRIVILEGE = '42501'
const WRONG_STATE = '55000'

/**
 * Loads the library, so that its hooks are in place before the first statement, and installs or updates the extension.
 * True when the extension is new.
 */
export async function installExtension(pg: Database): Promise<boolean> {
  try {
    await loadLibrary(pg)
    const [found] = await internalQuery<{ installed: string; current: string }>(pg, VERSIONS)
    if (found === undefined) await internalQuery(pg, CREATE)
    else if (found.installed !== found.current) await update(pg, found.installed, found.current)
    return found === undefined
  } catch (cause) {
    const error = TrickleError.from(cause)
    if (error.code !== INSUFFICIENT_PRIVILEGE) throw error
    const hint = 'Open the database once without the option `username`: that installs or updates the extension.'
    throw new TrickleError(error.message, { code: INSUFFICIENT_PRIVILEGE, hint, cause })
  }
}

/** Brings the extension and the storage of its stream tables to the version of the plugin. */
async function update(pg: Database, installed: string, current: string): Promise<void> {
  if ((await internalQuery(pg, HAS_PATH, [installed, current])).length === 0) {
    throw new TrickleError(`the database has pg_trickle ${installed}, and this plugin is for ${current}`, {
      code: WRONG_STATE,
      hint: `Open it with the version of @pgtrickle/pglite that made it, ${installed}, or a later one.`,
    })
  }
  await internalQuery(pg, 'ALTER EXTENSION pg_trickle UPDATE')
  await internalQuery(pg, "SELECT pgtrickle.command('upgrade')")
}

/** Only a superuser may run LOAD. For other roles, `listen` loads the library by calling a function of it. */
async function loadLibrary(pg: Database): Promise<void> {
  try {
    await internalQuery(pg, "LOAD 'pg_trickle'")
  } catch (error) {
    if (TrickleError.from(error).code !== INSUFFICIENT_PRIVILEGE) throw error
  }
}

/** Runs a query that uses the extension. If the extension has been dropped, creates it and runs the query again. */
export async function extensionQuery<T>(
  db: Database,
  sql: string,
  params: unknown[],
  onNotice?: (notice: Notice) => void,
): Promise<T[]> {
  try {
    return await internalQuery<T>(db, sql, params, onNotice)
  } catch (error) {
    if (!isAboutExtension(error) || (await isInstalled(db, error))) throw error
    await bringBack(db, error)
    return internalQuery<T>(db, sql, params, onNotice)
  }
}

/** PostgreSQL does not know a name of ours. A tab of the worker gets only the message. */
function isAboutExtension(error: unknown): boolean {
  return /^(schema|relation|function) "?pgtrickle\b.* does not exist$/.test(TrickleError.from(error).message)
}

async function isInstalled(db: Database, missing: unknown): Promise<boolean> {
  try {
    return (await internalQuery(db, IS_INSTALLED)).length > 0
  } catch (cause) {
    // The error has ended the transaction that the caller is in.
    throw dropped('Roll the transaction back. The next call creates the extension again.', missing, cause)
  }
}

async function bringBack(db: Database, missing: unknown): Promise<void> {
  try {
    await internalQuery(db, CREATE)
  } catch (cause) {
    throw dropped('Run CREATE EXTENSION pg_trickle as a superuser.', missing, cause)
  }
}

function dropped(hint: string, missing: unknown, cause: unknown): TrickleError {
  const code = TrickleError.from(cause).code === INSUFFICIENT_PRIVILEGE ? INSUFFICIENT_PRIVILEGE : WRONG_STATE
  return new TrickleError('the extension pg_trickle has been dropped', { code, hint, cause: missing })
}
