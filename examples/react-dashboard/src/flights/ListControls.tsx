import { useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'
import { changeSome } from '../changes'
import type { Database } from '../database/open'
import { milliseconds, whole } from '../format'
import { countFrames, LONG_FRAME, quantile } from '../frames'

/** Changes: ten rows in one statement, ten times a second. */
const ROWS = 10
const EVERY = 100

/** How many of them are among the rows on the screen. Of 100,000 rows, one would be seen every half a minute otherwise. */
const VISIBLE = 1

const SECONDS = 10
const PIXELS_PER_SECOND = 6000

interface Props {
  db: Database
  scroller: RefObject<HTMLDivElement | null>
  /** The flights on the screen. */
  visible: readonly number[]
}

/** Changes that go on, a list that scrolls by itself, and the frames that this takes. */
export function ListControls({ db, scroller, visible }: Props) {
  const [changing, setChanging] = useState(true)
  const [scrolling, setScrolling] = useState(false)
  const [result, setResult] = useState('')
  const changed = useRef(0)
  const onScreen = useRef(visible)
  useEffect(() => void (onScreen.current = visible), [visible])

  useEffect(() => {
    if (!changing) return
    let timer: ReturnType<typeof setTimeout>
    let stopped = false
    const change = async () => {
      const started = performance.now()
      try {
        changed.current += await changeSome(db, ROWS, onScreen.current, VISIBLE)
      } catch (error) {
        if (!stopped) setResult(`The change failed: ${(error as Error).message}`)
        return
      }
      if (!stopped) timer = setTimeout(() => void change(), Math.max(0, EVERY - (performance.now() - started)))
    }
    timer = setTimeout(() => void change(), EVERY)
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [changing, db])

  useEffect(() => {
    if (!scrolling) return
    const list = scroller.current!
    const end = countFrames()
    const before = changed.current
    const start = performance.now()
    let down = true
    let last = start
    const step = (now: number) => {
      if (now - start > SECONDS * 1000) return finish()
      list.scrollTop += ((down ? 1 : -1) * PIXELS_PER_SECOND * Math.max(0, now - last)) / 1000
      last = now
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) down = false
      else if (list.scrollTop <= 0) down = true
      request = requestAnimationFrame(step)
    }
    let request = requestAnimationFrame(step)
    const finish = () => {
      const { times, long, rate } = end()
      setResult(
        `${rate.toFixed(0)} frames a second while ${whole(changed.current - before)} rows changed: median ` +
          `${milliseconds(quantile(times, 0.5))}, p99 ${milliseconds(quantile(times, 0.99))}, ` +
          `${long === 0 ? 'none' : whole(long)} longer than ${LONG_FRAME} ms`,
      )
      setScrolling(false)
    }
    return () => {
      cancelAnimationFrame(request)
      end()
    }
  }, [scrolling, scroller])

  return (
    <div className="list-controls">
      <button type="button" className="main" onClick={() => setScrolling(!scrolling)}>
        {scrolling ? 'Stop' : `Scroll for ${SECONDS} s`}
      </button>
      <label>
        <input
          type="checkbox"
          role="switch"
          checked={changing}
          onChange={(event) => setChanging(event.target.checked)}
        />
        <span>{whole((ROWS * 1000) / EVERY)} rows change each second, one in ten of them on the screen</span>
      </label>
      <p role="status">{scrolling ? 'Scrolling …' : result}</p>
    </div>
  )
}
