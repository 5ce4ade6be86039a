import { useRef, useState } from 'react'
import { addFlight, cancelFlight, CHANGES, delayFlight } from '../changes'
import type { Database } from '../database/open'
import { whole } from '../format'
import type { Stopwatch } from '../stopwatch'

/** How long changes are made without a pause, in seconds. */
const SECONDS = 10

interface Props {
  db: Database
  stopwatch: Stopwatch
  withLive: boolean
  onWithLive: (value: boolean) => void
  onStartOver: () => void
}

/** Buttons that change the flights. While a change is made they do nothing, but stay enabled, so that they keep the focus. */
export function Controls({ db, stopwatch, withLive, onWithLive, onStartOver }: Props) {
  const [status, setStatus] = useState('Make a change, here or in another tab.')
  const [busy, setBusy] = useState(false)
  const stopped = useRef(false)
  const dialog = useRef<HTMLDialogElement>(null)

  const act = async (action: () => Promise<string>) => {
    if (busy) return
    setBusy(true)
    try {
      setStatus(await action())
    } catch (error) {
      setStatus(`The change failed: ${(error as Error).message}`)
    }
    setBusy(false)
  }

  const single = (change: (db: Database) => Promise<string>) =>
    act(() => {
      stopwatch.start()
      return change(db)
    })

  const stream = () =>
    act(async () => {
      stopwatch.stop()
      stopped.current = false
      const start = performance.now()
      const seconds = () => (performance.now() - start) / 1000
      let done = 0
      let shown = 0
      while (seconds() < SECONDS && !stopped.current) {
        await CHANGES[done++ % CHANGES.length]!(db)
        if (seconds() < shown + 0.25) continue
        shown = seconds()
        setStatus(`${whole(done)} changes, ${whole(done / shown)} per second`)
      }
      const taken = seconds()
      return `${whole(done)} changes in ${taken.toFixed(1)} s: ${whole(done / taken)} per second, each in its own transaction`
    })

  return (
    <section className="card controls" aria-labelledby="change">
      <h2 id="change">Change the flights</h2>
      <div className="buttons">
        <button type="button" aria-disabled={busy} onClick={() => single(addFlight)}>
          Add a flight
        </button>
        <button type="button" aria-disabled={busy} onClick={() => single(delayFlight)}>
          Delay a flight
        </button>
        <button type="button" aria-disabled={busy} onClick={() => single(cancelFlight)}>
          Cancel a flight
        </button>
        {busy ? (
          <button type="button" className="main" onClick={() => (stopped.current = true)}>
            Stop
          </button>
        ) : (
          <button type="button" className="main" onClick={stream}>
            {SECONDS} s of changes
          </button>
        )}
      </div>
      <p role="status" className="status">
        {status}
      </p>
      <div className="settings">
        <label>
          <input
            type="checkbox"
            role="switch"
            checked={withLive}
            onChange={(event) => onWithLive(event.target.checked)}
          />
          <span>
            Compare with <code>live.incrementalQuery</code>
          </span>
        </label>
        <button
          type="button"
          className="plain"
          aria-disabled={busy}
          onClick={() => busy || dialog.current!.showModal()}
        >
          Start over with fresh data
        </button>
        <dialog ref={dialog} aria-labelledby="start-over">
          <h3 id="start-over">Start over?</h3>
          <p>All changes to the flights are lost, in all tabs.</p>
          <form method="dialog">
            <button>Keep them</button>
            <button className="main" onClick={onStartOver}>
              Start over
            </button>
          </form>
        </dialog>
      </div>
    </section>
  )
}
