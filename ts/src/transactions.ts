/**
 * What happens to `pg.trickle` inside `pg.transaction(tx => ...)`. PGlite makes every query that does not go through `tx`
 * wait for the end of the transaction. A callback that awaits such a query therefore waits for itself, for ever.
 *
 * `tx` gets the methods as `tx.trickle`. A call of `pg.trickle` that comes from the callback fails at once: it is noticed
 * in the part before the first `await`, and wherever the callback goes on after it awaited a method of `tx`. JavaScript
 * does not tell where any other call comes from. Such a call waits for the transaction to end, and fails when that has
 * run no statement for a while.
 */
import type {} from '@electric-sql/pglite'
import type { Trickle } from './api.js'
import { TrickleError } from './errors.js'
import type { Database } from './types.js'

/** The methods of `tx.trickle`. To subscribe or to follow a feed, use `pg.trickle` before or after the transaction. */
export type TransactionTrickle = Omit<Trickle, 'subscribe' | 'live' | 'changes'>

declare module '@electric-sql/pglite' {
  interface Transaction {
    /** The methods of `pg.trickle`, inside this transaction. Only where PGlite has the plugin. */
    trickle: TransactionTrickle
  }
}

/** Milliseconds after which a call stops waiting for a transaction that runs no statement. */
const PATIENCE = 5000
/** It is counted in steps, so that a process that stood still, with all its callbacks, has not waited. */
const STEP = 500

/** SQLSTATE `active_sql_transaction`. */
const ACTIVE_TRANSACTION = '25001'

/** PGlite's `transaction`. The plugin calls only `query` of what the callback gets, and adds `trickle` to it. */
type RunTransaction = <T>(callback: (tx: Database) => Promise<T>) => Promise<T>

interface Host extends Database {
  transaction?: RunTransaction
}

/** A transaction whose callback runs. */
interface Open {
  /** Resolves when the transaction has ended. */
  ended: Promise<void>
  /** How many of its statements are running. */
  running: number
  /** How many have ended. */
  done: number
  /** The code that runs now is that of the callback. */
  isInside: boolean
}

const openTransactions = new WeakMap<Database, Open>()
const watched = new WeakSet<Database>()

/** Makes `tx.trickle`: it refuses to subscribe or to follow a feed, because that takes more than the connection of a transaction. */
export function inTransaction(trickle: Trickle): TransactionTrickle {
  const refuse = (method: string) => (name: string) =>
    Promise.reject(refusal(`tx.trickle.${method} does not exist`, method, name))
  Object.assign(trickle, { subscribe: refuse('subscribe'), live: refuse('live') })
  // Not a method: it would be called, and its result awaited, before the error is seen.
  const get = (): never => {
    throw refusal('tx.trickle.changes does not exist', 'changes', undefined)
  }
  return Object.defineProperty(trickle, 'changes', { get })
}

/** Adds `trickle` to what callbacks of `pg.transaction` get, and remembers which transaction is open. */
export function watchTransactions(pg: Database, trickleOf: (tx: Database) => object): void {
  const host: Host = pg
  const original = host.transaction
  if (original === undefined || watched.has(pg)) return
  watched.add(pg)
  host.transaction = <T>(callback: (tx: Database) => Promise<T>): Promise<T> => {
    let end = () => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const open: Open = { ended, running: 0, done: 0, isInside: false }
    const run = (tx: Database): Promise<T> => {
      openTransactions.set(pg, open)
      watchMethods(tx, open)
      let trickle: object | undefined
      // Made when it is asked for, because most transactions do not.
      const get = () => (trickle ??= watchMethods(trickleOf(tx), open))
      Object.defineProperty(tx, 'trickle', { get, enumerable: true })
      open.isInside = true
      try {
        return callback(tx)
      } finally {
        open.isInside = false
      }
    }
    return original.call(pg, run as Parameters<RunTransaction>[0]).finally(() => {
      if (openTransactions.get(pg) === open) openTransactions.delete(pg)
      end()
    }) as Promise<T>
  }
}

/** Replaces methods by ones that notice when they run, and when the callback goes on after them. */
function watchMethods(object: object, open: Open): object {
  for (const name of [...Object.keys(object), ...Object.getOwnPropertyNames(Object.getPrototypeOf(object))]) {
    // Not the getter `closed`, whose value changes.
    const method: unknown = (Object.getOwnPropertyDescriptor(object, name) ?? { value: Reflect.get(object, name) })
      .value
    if (typeof method !== 'function' || name in Object.prototype) continue
    const watched = (...args: unknown[]) => watch(() => Reflect.apply(method, object, args) as Promise<unknown>, open)
    Object.defineProperty(object, name, { value: watched, configurable: true, writable: true })
  }
  return object
}

function watch(run: () => Promise<unknown>, open: Open): Promise<unknown> {
  open.running += 1
  return new Promise((resolve, reject) => {
    // Microtasks run in order, so what awaits this promise goes on between the two that are queued around its end.
    const settle = (end: () => void) => {
      open.running -= 1
      open.done += 1
      queueMicrotask(() => (open.isInside = true))
      end()
      queueMicrotask(() => (open.isInside = false))
    }
    run().then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error as Error)),
    )
  })
}

/** Refuses a call of `pg.trickle` that an open transaction would wait for, as far as that can be told. */
export function stayOutside(db: Database, method: string, streamTable?: string): Promise<void> | undefined {
  const open = openTransactions.get(db)
  if (open === undefined) return undefined
  if (open.isInside) throw refusal(`pg.trickle.${method} was called inside pg.transaction`, method, streamTable)
  return waitForEnd(open, method, streamTable)
}

async function waitForEnd(open: Open, method: string, streamTable: string | undefined): Promise<void> {
  let ended = false
  void open.ended.then(() => (ended = true))
  let { done } = open
  let idle = 0
  while (idle < PATIENCE) {
    await Promise.race([open.ended, sleep(STEP)])
    if (ended) return
    idle = open.running > 0 || open.done !== done ? 0 : idle + STEP
    done = open.done
  }
  const message = `pg.trickle.${method} waited for a transaction that has run no statement for ${PATIENCE / 1000} seconds`
  throw refusal(message, method, streamTable)
}

function refusal(message: string, method: string, streamTable: string | undefined): TrickleError {
  const hint =
    method === 'subscribe' || method === 'live' || method === 'changes'
      ? `Call it before or after the transaction.`
      : `Inside pg.transaction(tx => ...), call tx.trickle.${method}: everything else waits for the transaction to end.`
  return new TrickleError(message, { code: ACTIVE_TRANSACTION, streamTable, hint })
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, milliseconds)
    ;(timer as { unref?: () => void }).unref?.()
  })
}
