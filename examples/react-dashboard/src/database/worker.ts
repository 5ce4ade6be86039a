/** Runs PGlite for all tabs, in the worker of one of them. */
import { IdbFs, PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import { worker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

/**
 * Milliseconds for which changes may stay only in memory. A copy to IndexedDB looks at all files, writes whole ones, and is
 * made by the thread that PostgreSQL runs in.
 */
const BETWEEN_COPIES = 1000

/**
 * IndexedDB, with changes written together with those that follow soon. Until they are written, they are lost when this
 * worker's tab is closed. The lock `saving` is free when everything is written.
 */
class BatchingIdbFs extends IdbFs {
  override async syncToFs(relaxed?: boolean): Promise<void> {
    await navigator.locks.request('saving', async () => {
      await new Promise((done) => setTimeout(done, relaxed ? BETWEEN_COPIES : 0))
      await super.syncToFs(relaxed)
    })
  }
}

let opened: PGlite | undefined

void worker({
  async init(options) {
    const [, kept] = /^idb:\/\/(.*)$/.exec(options.dataDir ?? '') ?? []
    const pg = await PGlite.create({
      ...(kept === undefined ? { dataDir: 'memory://' } : { fs: new BatchingIdbFs(kept) }),
      // A change appears when it is committed, and is written to IndexedDB a little later.
      relaxedDurability: true,
      extensions: { live, trickle },
    })
    opened = pg
    return pg
  },
})

// PGlite copies its files to IndexedDB while PostgreSQL keeps working. The copy fails if PostgreSQL deletes a file in the
// meantime. Its promise is not awaited, so the failure arrives here, and the copy is made again.
addEventListener('unhandledrejection', (event) => {
  if ((event.reason as Error | undefined)?.name === 'ErrnoError') {
    event.preventDefault()
    void opened?.syncToFs()
  } else if (opened === undefined) {
    // It would stay in the worker, and the page would wait for ever.
    postMessage({ failure: String(event.reason) })
  }
})
