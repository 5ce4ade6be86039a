// The statistics that benchmarks and demo report.

/** The middle value, or the mean of the two middle values. NaN when there are none. */
export function median(values) {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median, with the quartiles to show its spread. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { median: median(sorted), low: at(0.25), high: at(0.75), samples: sorted.length }
}
