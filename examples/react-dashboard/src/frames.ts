/** Counts the frames of the page. */

/** A frame that takes longer than this is one that people notice: three of a screen with 60 in a second. */
export const LONG_FRAME = 50

/** Milliseconds between frames. */
export interface Frames {
  /** Between one frame and the next, in order. */
  times: number[]
  long: number
  /** Frames per second. */
  rate: number
}

/** Measures all frames from now until the returned function is called. */
export function countFrames(): () => Frames {
  const times: number[] = []
  const start = performance.now()
  let before: number | undefined
  const next = (now: number) => {
    if (before !== undefined) times.push(now - before)
    before = now
    request = requestAnimationFrame(next)
  }
  let request = requestAnimationFrame(next)
  return () => {
    cancelAnimationFrame(request)
    const seconds = (performance.now() - start) / 1000
    return { times, long: times.filter((time) => time > LONG_FRAME).length, rate: times.length / seconds }
  }
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]
}
