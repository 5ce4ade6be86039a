/**
 * The files of a database in the SQL storage of a Durable Object, block by block.
 *
 * Every write goes to the storage at once. The storage commits what one turn of the event loop wrote together, and keeps
 * in order what several wrote. So what is on disk is at any time what a machine would have whose power was cut: PostgreSQL
 * recovers from that with its log, as it does elsewhere. And workerd sends no answer and no message of the object before
 * the writes that came first are on disk: nobody has seen what could be lost.
 */
import { BaseFilesystem, ERRNO_CODES } from '@electric-sql/pglite/basefs'

/** The page of PostgreSQL, of tables as of the log. */
const BLOCK = 8192

/** How many blocks are kept in memory besides: 4 MiB. */
const CACHED = 512

const DIRECTORY = 0o040000
const REGULAR = 0o100000

interface Entry {
  id: number
  mode: number
  size: number
  time: number
}

/** The part of `ctx.storage.sql` that is used here. */
export interface Sql {
  exec(query: string, ...values: unknown[]): Iterable<Record<string, unknown>>
}

export class SqlFilesystem extends BaseFilesystem {
  readonly #sql: Sql
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Map<number, Entry>()
  /** The blocks that were used last, the latest at the end. */
  readonly #cache = new Map<string, Uint8Array>()
  #nextId = 1
  #nextFd = 1

  constructor(sql: Sql) {
    super()
    this.#sql = sql
    this.#run(
      'CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, path TEXT UNIQUE, mode INT, size INT, time INT)',
    )
    this.#run('CREATE TABLE IF NOT EXISTS blocks (file INT, n INT, bytes BLOB, PRIMARY KEY (file, n)) WITHOUT ROWID')
    for (const { id, path, mode, size, time } of this.#run('SELECT * FROM files') as Iterable<
      Entry & { path: string }
    >) {
      this.#entries.set(path, { id, mode, size, time })
      this.#nextId = Math.max(this.#nextId, id + 1)
    }
  }

  /** Whether there is a whole database: the first start marks it with `complete`. */
  get isComplete(): boolean {
    return this.#entries.has('complete')
  }

  markComplete(): void {
    this.#add('complete', REGULAR | 0o600)
  }

  /** Removes what a first start left behind that was cut off. */
  clear(): void {
    this.#run('DELETE FROM blocks')
    this.#run('DELETE FROM files')
    this.#entries.clear()
    this.#cache.clear()
  }

  #run(query: string, ...values: unknown[]): Iterable<Record<string, unknown>> {
    return this.#sql.exec(query, ...values)
  }

  #add(path: string, mode: number): Entry {
    const entry = { id: this.#nextId++, mode, size: 0, time: Date.now() }
    this.#run('INSERT INTO files VALUES (?, ?, ?, 0, ?)', entry.id, path, mode, entry.time)
    this.#entries.set(path, entry)
    return entry
  }

  #find(path: string): Entry {
    const entry = this.#entries.get(path)
    if (entry === undefined) throw failure('ENOENT', path)
    return entry
  }

  #opened(fd: number): Entry {
    const entry = this.#open.get(fd)
    if (entry === undefined) throw failure('EBADF', String(fd))
    return entry
  }

  #save(entry: Entry): void {
    this.#run(
      'UPDATE files SET mode = ?, size = ?, time = ? WHERE id = ?',
      entry.mode,
      entry.size,
      entry.time,
      entry.id,
    )
  }

  /** A block to be read or changed. One that is not stored is all zeros. */
  #block(entry: Entry, n: number): Uint8Array {
    const key = `${entry.id}/${n}`
    let bytes = this.#cache.get(key)
    if (bytes === undefined) {
      const [row] = [...this.#run('SELECT bytes FROM blocks WHERE file = ? AND n = ?', entry.id, n)]
      bytes = row === undefined ? new Uint8Array(BLOCK) : new Uint8Array(row.bytes as ArrayBuffer)
      for (const oldest of this.#cache.keys()) {
        if (this.#cache.size < CACHED) break
        this.#cache.delete(oldest)
      }
    } else {
      this.#cache.delete(key)
    }
    this.#cache.set(key, bytes)
    return bytes
  }

  #store(entry: Entry, n: number, bytes: Uint8Array): void {
    if (bytes.some((byte) => byte !== 0)) {
      this.#run('INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)', entry.id, n, bytes)
    } else {
      this.#run('DELETE FROM blocks WHERE file = ? AND n = ?', entry.id, n)
    }
  }

  #stats({ id, mode, size, time }: Entry) {
    const blocks = Math.ceil(size / 512)
    const times = { atime: time, mtime: time, ctime: time }
    return { dev: 0, ino: id, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size, blksize: BLOCK, blocks, ...times }
  }

  // What PGlite calls.

  chmod(path: string, mode: number): void {
    const entry = this.#find(path)
    entry.mode = (entry.mode & ~0o7777) | (mode & 0o7777)
    this.#save(entry)
  }

  close(fd: number): void {
    this.#open.delete(fd)
  }

  fstat(fd: number) {
    return this.#stats(this.#opened(fd))
  }

  lstat(path: string) {
    return this.#stats(path === '/' || path === '' ? ROOT : this.#find(path))
  }

  mkdir(path: string, options?: { mode?: number }): void {
    if (this.#entries.has(path)) throw failure('EEXIST', path)
    this.#add(path, DIRECTORY | ((options?.mode ?? 0o777) & 0o7777))
  }

  open(path: string): number {
    const fd = this.#nextFd++
    this.#open.set(fd, this.#find(path))
    return fd
  }

  readdir(path: string): string[] {
    const prefix = path === '/' || path === '' ? '/' : `${path}/`
    const inside = [...this.#entries.keys()]
      .filter((each) => each.startsWith(prefix))
      .map((each) => each.slice(prefix.length))
    return ['.', '..', ...inside.filter((name) => !name.includes('/'))]
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const entry = this.#opened(fd)
    const end = Math.min(position + length, entry.size)
    for (let at = position; at < end;) {
      const start = at % BLOCK
      const part = this.#block(entry, Math.floor(at / BLOCK)).subarray(start, Math.min(BLOCK, start + end - at))
      buffer.set(part, offset + at - position)
      at += part.length
    }
    return Math.max(0, end - position)
  }

  rename(from: string, to: string): void {
    const entry = this.#find(from)
    if (this.#entries.has(to)) this.#remove(to)
    const inside = [...this.#entries.keys()].filter((each) => each.startsWith(`${from}/`))
    for (const path of [from, ...inside]) {
      const moved = this.#entries.get(path) ?? entry
      const target = to + path.slice(from.length)
      this.#entries.delete(path)
      this.#entries.set(target, moved)
      this.#run('UPDATE files SET path = ? WHERE id = ?', target, moved.id)
    }
  }

  rmdir(path: string): void {
    this.#find(path)
    if (this.readdir(path).length > 2) throw failure('ENOTEMPTY', path)
    this.#remove(path)
  }

  unlink(path: string): void {
    this.#find(path)
    this.#remove(path)
  }

  #remove(path: string): void {
    const { id, size } = this.#find(path)
    this.#entries.delete(path)
    for (let n = 0; n < Math.ceil(size / BLOCK); n++) this.#cache.delete(`${id}/${n}`)
    this.#run('DELETE FROM blocks WHERE file = ?', id)
    this.#run('DELETE FROM files WHERE id = ?', id)
  }

  truncate(path: string, size: number): void {
    const entry = this.#find(path)
    const left = Math.ceil(size / BLOCK)
    for (let n = left; n < Math.ceil(entry.size / BLOCK); n++) this.#cache.delete(`${entry.id}/${n}`)
    this.#run('DELETE FROM blocks WHERE file = ? AND n >= ?', entry.id, left)
    if (size < entry.size && size % BLOCK > 0) {
      const last = this.#block(entry, left - 1)
      last.fill(0, size % BLOCK)
      this.#store(entry, left - 1, last)
    }
    entry.size = size
    this.#save(entry)
  }

  utimes(path: string, _atime: number, mtime: number): void {
    const entry = this.#find(path)
    entry.time = mtime
    this.#save(entry)
  }

  writeFile(path: string, data: string | Uint8Array, options?: { mode?: number }): void {
    if (this.#entries.has(path)) this.truncate(path, 0)
    else this.#add(path, REGULAR | ((options?.mode ?? 0o666) & 0o7777))
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    if (bytes.length === 0) return
    const fd = this.open(path)
    this.#write(fd, bytes, 0)
    this.close(fd)
  }

  /** PGlite gives the memory that the bytes are in, not an array of bytes. */
  write(fd: number, memory: Uint8Array | ArrayBufferLike, offset: number, length: number, position: number): number {
    const bytes =
      memory instanceof Uint8Array ? memory.subarray(offset, offset + length) : new Uint8Array(memory, offset, length)
    return this.#write(fd, bytes, position)
  }

  #write(fd: number, bytes: Uint8Array, position: number): number {
    const entry = this.#opened(fd)
    for (let done = 0; done < bytes.length;) {
      const n = Math.floor((position + done) / BLOCK)
      const start = (position + done) % BLOCK
      const part = bytes.subarray(done, done + BLOCK - start)
      const block = this.#block(entry, n)
      block.set(part, start)
      this.#store(entry, n, block)
      done += part.length
    }
    if (position + bytes.length > entry.size) {
      entry.size = position + bytes.length
      entry.time = Date.now()
      this.#save(entry)
    }
    return bytes.length
  }
}

const ROOT: Entry = { id: 0, mode: DIRECTORY | 0o700, size: 0, time: 0 }

function failure(code: keyof typeof ERRNO_CODES, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code: ERRNO_CODES[code] })
}
