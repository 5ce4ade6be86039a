/** Formats numbers and dates. An average or a share of nothing is a dash. */

// Made once: `toLocaleString` with options would make one for each number.
const numbers = (options: Intl.NumberFormatOptions) => {
  const format = new Intl.NumberFormat('en', options)
  return (value: number) => format.format(value)
}

export const whole = numbers({ maximumFractionDigits: 0 })
export const short = numbers({ notation: 'compact', maximumFractionDigits: 2 })
const twoDigits = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 })
const share = numbers({ style: 'percent', minimumFractionDigits: 2 })

export const minutes = (value: number | null) => (value === null ? '–' : `${twoDigits(value)} min`)
export const percent = (part: number, all: number) => (all === 0 ? '–' : share(part / all))
export const milliseconds = (value: number | undefined) =>
  value === undefined ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ms`

const weekday = new Intl.DateTimeFormat('en', { weekday: 'short' })
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' })
const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
/** The parts of a date, for a narrow screen that has no room for the first. */
export const dateParts = (value: Date) =>
  [weekday.format(value), `${day.format(value)}, ${time.format(value)}`] as const
export const dateAndTime = (value: Date) => dateParts(value).join(', ')
/** The day in a text from `dateAndTime`. */
export const dayOf = (text: string) => text.slice(0, text.lastIndexOf(','))
