// A Vite plugin that serves the dashboard's data and adds it to the build: airports and flights as CSV, from the same
// source as the demo in the terminal. The flights are in several files, so that a page loads only those that it needs.

import { airportsCsv, flightBatches } from '@pgtrickle/demo/lib/data.mjs'

/** The most flights that the dashboard can load. */
const MOST_FLIGHTS = 1_000_000

/** The flights in one file. */
const FLIGHTS_IN_FILE = 100_000

/** Yields the name and the text of each file. */
async function* files() {
  yield ['data/airports.csv', airportsCsv()]
  let lines = []
  let first = 0
  for await (const { csv } of flightBatches(MOST_FLIGHTS)) {
    lines.push(...csv.trimEnd().split('\n'))
    while (lines.length >= FLIGHTS_IN_FILE || (lines.length > 0 && first + lines.length >= MOST_FLIGHTS)) {
      const own = lines.slice(0, FLIGHTS_IN_FILE)
      lines = lines.slice(FLIGHTS_IN_FILE)
      yield [`data/flights-${first / FLIGHTS_IN_FILE}.csv`, own.join('\n')]
      first += own.length
    }
  }
}

export function flightsData() {
  let served
  return {
    name: 'flights-data',
    config: () => ({ define: { MOST_FLIGHTS, FLIGHTS_IN_FILE } }),
    async generateBundle() {
      for await (const [fileName, source] of files()) this.emitFile({ type: 'asset', fileName, source })
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const name = request.url?.split('?')[0].slice(1)
        if (!name?.startsWith('data/')) return next()
        served ??= collect(files())
        const [, text] = (await served).find(([each]) => each === name) ?? []
        if (text === undefined) return next()
        response.setHeader('Content-Type', 'text/csv; charset=utf-8')
        response.end(text)
      })
    },
  }
}

async function collect(made) {
  const all = []
  for await (const each of made) all.push(each)
  return all
}
