import { useRef, useState } from 'react'
import { addFlight, cancelFlight, CHANGES, delayFlight } from '../changes'
import type { Database } from '../database/open'
import { whole } from '../format'
import type { Stopwatch } from '../stopwatch'

/** The number of changes in a stream. */
const STREAM = 1000

interface Props {
  db: Database
  stopwatch: Stopwatch
  withLive: boolean
  onWithLive: (value: boolean) => void
  onStartOver: () => void
}

/** Buttons that change the flights. */
export function Controls({ db, stopwatch, withLive, onWithLive, onStartOver }: Props) {
  const [status, setStatus] = useState('Make a change, here or in another tab.')
  const [busy, setBusy] = useState(false)
  const stopped = useRef(false)

  const act = async (action: () => Promise<string>) => {
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
      let done = 0
      while (done < STREAM && !stopped.current) {
        await CHANGES[done++ % CHANGES.length]!(db)
        if (done % 25 === 0) setStatus(`${done} of ${whole(STREAM)} changes`)
      }
      const seconds = (performance.now() - start) / 1000
      return `${whole(done)} changes in ${seconds.toFixed(1)} s: ${whole(done / seconds)} per second, each in its own transaction`
    })

  return (
    <section className="card controls" aria-labelledby="change">
      <h2 id="change">Change the flights</h2>
      <div className="buttons">
        <button type="button" disabled={busy} onClick={() => single(addFlight)}>
          Add a flight
        </button>
        <button type="button" disabled={busy} onClick={() => single(delayFlight)}>
          Delay a flight
        </button>
        <button type="button" disabled={busy} onClick={() => single(cancelFlight)}>
          Cancel a flight
        </button>
        {busy ? (
          <button type="button" className="main" onClick={() => (stopped.current = true)}>
            Stop
          </button>
        ) : (
          <button type="button" className="main" onClick={stream}>
            Make {whole(STREAM)} changes
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
        <button type="button" className="plain" disabled={busy} onClick={onStartOver}>
          Start over with fresh data
        </button>
      </div>
    </section>
  )
}
