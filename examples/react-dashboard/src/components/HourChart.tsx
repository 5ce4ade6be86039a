import { useStreamTable } from '@pgtrickle/pglite/react'
import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from 'chart.js'
import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { Database } from '../database/open'
import type { Hour } from '../database/stream-tables'
import { dateAndTime, dayOf, percent, whole } from '../format'
import { Definition } from './Definition'

Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, Tooltip)

/** The chart follows at most so often, in milliseconds: drawing it takes longer than all else on the page. */
const EVERY = 100

/** Aggregates by hour, as a chart. */
export function HourChart({ db }: { db: Database }) {
  const { rows } = useStreamTable<Hour>('hours', { orderBy: 'hour' })
  const isDark = useSyncExternalStore(onScheme, () => scheme.matches)
  const canvas = useRef<HTMLCanvasElement>(null)
  const chart = useRef<Chart>(undefined)
  const drawn = useRef(-EVERY)

  // Creates the chart again when the colour scheme changes. The effect below then fills it.
  useEffect(() => {
    chart.current = makeChart(canvas.current!)
    return () => chart.current!.destroy()
  }, [isDark])

  useEffect(() => {
    const draw = () => {
      const { data } = chart.current!
      data.labels = rows.map(({ hour }) => dateAndTime(hour))
      data.datasets[0]!.data = rows.map(({ flights, late }) => flights - late)
      data.datasets[1]!.data = rows.map(({ late }) => late)
      chart.current!.update('none')
      drawn.current = performance.now()
    }
    const timer = setTimeout(draw, Math.max(0, drawn.current + EVERY - performance.now()))
    return () => clearTimeout(timer)
  }, [rows, isDark])

  return (
    <section className="card hours" aria-labelledby="hours">
      <h2 id="hours">Flights by hour</h2>
      <div className="chart">
        <canvas ref={canvas} role="img" aria-label={summary(rows)} />
      </div>
      <Definition db={db} name="hours" />
    </section>
  )
}

/** A description of the chart for screen readers. */
function summary(rows: readonly Hour[]): string {
  const [first, ...rest] = rows
  if (!first) return 'No flights.'
  const busiest = rest.reduce((most, row) => (row.flights > most.flights ? row : most), first)
  return (
    `Flights on time and late in ${rows.length} hours. The busiest is ${dateAndTime(busiest.hour)} ` +
    `with ${whole(busiest.flights)} flights, ${percent(busiest.late, busiest.flights)} of them late.`
  )
}

const scheme = matchMedia('(prefers-color-scheme: dark)')

function onScheme(listener: () => void): () => void {
  scheme.addEventListener('change', listener)
  return () => scheme.removeEventListener('change', listener)
}

/** Creates an empty chart with the colours of the style sheet. */
function makeChart(canvas: HTMLCanvasElement): Chart {
  const style = getComputedStyle(document.documentElement)
  const [text, line, bars, warm] = ['--quiet', '--line', '--bars', '--warm'].map((name) =>
    style.getPropertyValue(name).trim(),
  )
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: [],
      datasets: [
        { label: 'On time', data: [], backgroundColor: bars! },
        { label: 'Late by over 15 minutes', data: [], backgroundColor: warm! },
      ],
    },
    options: {
      maintainAspectRatio: false,
      color: text!,
      datasets: { bar: { barPercentage: 1, categoryPercentage: 0.85 } },
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          stacked: true,
          // One tick, at the first hour of each day.
          afterBuildTicks: (axis) => {
            const dayAt = (at: number) => dayOf(axis.getLabelForValue(at))
            axis.ticks = axis.ticks.filter(({ value }) => value === 0 || dayAt(value) !== dayAt(value - 1))
          },
          ticks: {
            color: text!,
            maxRotation: 0,
            callback(value) {
              return dayOf(this.getLabelForValue(Number(value)))
            },
          },
          grid: { display: false },
        },
        y: { stacked: true, ticks: { color: text! }, grid: { color: line! } },
      },
      plugins: { legend: { position: 'bottom', labels: { boxWidth: 12 } } },
    },
  })
}
