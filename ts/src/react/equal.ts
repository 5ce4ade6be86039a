/** Whether two values of a column are the same: what PostgreSQL's types become in JavaScript, compared by content. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime())
  if (ArrayBuffer.isView(a) || Array.isArray(a)) {
    const left = a as unknown as ArrayLike<unknown>
    const right = b as ArrayLike<unknown>
    return left.length === right.length && Array.prototype.every.call(left, (value, i) => sameValue(value, right[i]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && sameValue(left[name], right[name]))
  )
}

/** A string that is equal for equal values, and for no others: an identity of a row, or of options. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name, part: unknown) {
    // A date has become its text by now, or null.
    const origin = this[name]
    if (origin === null || (typeof part === 'object' && part !== null)) return part
    return typeof origin + (Object.is(part, -0) ? '-0' : String(part))
  })
}
