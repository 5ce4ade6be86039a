import { useRef, useState } from 'react'
import { addFlight, cancelFlight, CHANGES, delayFlight } from '../changes'
import type { Database } from '../database/open'
import { milliseconds, whole } from '../format'
import { countFrames, LONG_FRAME, quantile } from '../frames'
import { painted } from '../stopwatch'
import type { Stopwatch } from '../stopwatch'
import { MoreFlights } from './MoreFlights'

/** How long changes are made without a pause, in seconds. */
const SECONDS = 10

interface Props {
  db: Database
  rows: number
  stopwatch: Stopwatch
  withLive: boolean
  onWithLive: (value: boolean) => void
  onStartOver: () => void
}

/** Buttons that change the flights. While a change is made they do nothing, but stay enabled, so that they keep the focus. */
export function Controls({ db, rows, stopwatch, withLive, onWithLive, onStartOver }: Props) {
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
      stopwatch.startBurst()
      const endFrames = countFrames()
      stopped.current = false
      const start = performance.now()
      const seconds = () => (performance.now() - start) / 1000
      let done = 0
      let shown = 0
      while (seconds() < SECONDS && !stopped.current) {
        const started = performance.now()
        await CHANGES[done++ % CHANGES.length]!(db)
        stopwatch.committed(started)
        if (seconds() < shown + 0.25) continue
        shown = seconds()
        setStatus(`${whole(done)} changes, ${whole(done / shown)} per second`)
      }
      const taken = seconds()
      await painted()
      const { long } = endFrames()
      const times = stopwatch.endBurst()
      return (
        `${whole(done)} changes in ${taken.toFixed(1)} s: ${whole(done / taken)} per second, each in its own ` +
        `transaction. On the screen after ${milliseconds(quantile(times, 0.5))} (median), ` +
        `${milliseconds(quantile(times, 0.99))} (p99); ${long === 1 ? '1 frame' : `${whole(long)} frames`} over ${LONG_FRAME} ms`
      )
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
        <MoreFlights rows={rows} />
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
