/** Formats numbers and dates. An average or a share of nothing is a dash. */
export const whole = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })
export const short = (value: number) => value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 2 })
export const minutes = (value: number | null) =>
  value === null ? '–' : `${value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} min`
export const percent = (part: number, all: number) =>
  all === 0 ? '–' : (part / all).toLocaleString('en', { style: 'percent', minimumFractionDigits: 2 })
export const milliseconds = (value: number | undefined) =>
  value === undefined ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ms`

const day = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short' })
const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
export const dateAndTime = (value: Date) => `${day.format(value)}, ${time.format(value)}`
/** The day in a text from `dateAndTime`. */
export const dayOf = (text: string) => text.slice(0, text.lastIndexOf(','))
