/** Compares two values of a column by content. They are what PGlite makes of PostgreSQL's types. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime())
  if (ArrayBuffer.isView(a) || Array.isArray(a)) {
    const left = a as unknown as ArrayLike<unknown>
    const right = b as ArrayLike<unknown>
    return left.length === right.length && Array.prototype.every.call(left, (value, i) => isSameValue(value, right[i]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSameValue(left[name], right[name]))
  )
}

/** A string that identifies a value: equal values have the same one, and different values do not. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name, part: unknown) {
    // `part` is already the text of a date; the original tells it from a string.
    const original = this[name]
    if (original === null || (typeof part === 'object' && part !== null)) return part
    return typeof original + (Object.is(part, -0) ? '-0' : String(part))
  })
}
