/** Runs PGlite, in one tab's worker at a time for all tabs. */
import { IdbFs, PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import { worker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

/** Milliseconds that changes may be in memory only. Each copy to IndexedDB takes whole files, as long as a change or longer. */
const BETWEEN_COPIES = 300

/**
 * IndexedDB, to which changes are copied together with those that come soon after. Until then they are lost when the
 * tab of this worker is closed: whoever wants to know waits for the lock `saving`.
 */
class UnhurriedIdbFs extends IdbFs {
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
    const pg = await PGlite.create({
      fs: new UnhurriedIdbFs((options.dataDir ?? '').replace('idb://', '')),
      // A change is shown when it is committed, and copied to IndexedDB a little later.
      relaxedDurability: true,
      extensions: { live, trickle },
    })
    opened = pg
    return pg
  },
})

// PGlite copies its files to IndexedDB while PostgreSQL goes on, and gives up when one of them is gone by the time it is
// read. Nobody waits for it, so nobody hears of it: it is to try again.
addEventListener('unhandledrejection', (event) => {
  if ((event.reason as Error | undefined)?.name !== 'ErrnoError') return
  event.preventDefault()
  void opened?.syncToFs()
})
