/** Compares two results as multisets of texts. Numbers that are no integers may differ in their last digits. */

/** The rows that one result has and the other has not. */
export interface Difference {
  missing: string[]
  extra: string[]
}

const NUMBER = /-?\d+(\.\d+)?(e[+-]?\d+)?/gi

/** A row in which numbers that are no integers have `digits` digits. */
function rounded(row: string, digits: number): string {
  return row.replace(NUMBER, (number) =>
    /[.e]/i.test(number) ? String(Number(Number(number).toPrecision(digits))) : number,
  )
}

export function difference(expected: string[], actual: string[]): Difference | undefined {
  // Rounding can separate two numbers that nearly agree, but hardly at both lengths.
  const found = [7, 6].map((digits) => differenceAt(expected, actual, digits))
  return found.every((each) => each.missing.length + each.extra.length > 0) ? found[0] : undefined
}

function differenceAt(expected: string[], actual: string[], digits: number): Difference {
  const counts = new Map<string, number>()
  const add = (rows: string[], weight: number) => {
    for (const row of rows) {
      const text = rounded(row, digits)
      counts.set(text, (counts.get(text) ?? 0) + weight)
    }
  }
  add(expected, 1)
  add(actual, -1)
  const rows = [...counts].flatMap(([text, count]) => Array<[string, number]>(Math.abs(count)).fill([text, count]))
  return {
    missing: rows.filter(([, count]) => count > 0).map(([text]) => text),
    extra: rows.filter(([, count]) => count < 0).map(([text]) => text),
  }
}
