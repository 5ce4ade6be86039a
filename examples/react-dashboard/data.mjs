// A Vite plugin that serves the dashboard's data and adds it to the build: flights and airports as CSV, from the same
// source as the demo in the terminal.

import { airportsCsv, AVAILABLE_FLIGHTS, flightBatches } from '@pgtrickle/demo/lib/data.mjs'

/** The most flights that the dashboard can load. */
const FLIGHTS = 200_000

const FILES = {
  'data/airports.csv': async () => airportsCsv(),
  'data/flights.csv': async () => {
    const parts = []
    for await (const { csv } of flightBatches(Math.min(FLIGHTS, AVAILABLE_FLIGHTS))) parts.push(csv)
    return parts.join('')
  },
}

export function flightsData() {
  return {
    name: 'flights-data',
    async generateBundle() {
      for (const [fileName, source] of Object.entries(FILES)) {
        this.emitFile({ type: 'asset', fileName, source: await source() })
      }
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const make = FILES[request.url?.split('?')[0].slice(1)]
        if (!make) return next()
        response.setHeader('Content-Type', 'text/csv; charset=utf-8')
        response.end(await make())
      })
    },
  }
}
