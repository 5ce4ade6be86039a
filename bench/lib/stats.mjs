// The few statistics that the benchmarks report.

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values) {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median with the quartiles, which tell how far to trust it. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { median: median(sorted), low: at(0.25), high: at(0.75), samples: sorted.length }
}
