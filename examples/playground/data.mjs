// A Vite plugin that adds the flights to the build, from the same source as the demo in the terminal.

import { airportsCsv, flightBatches } from '@pgtrickle/demo/lib/data.mjs'

const FLIGHTS = 30_000

async function flightsCsv() {
  const parts = []
  for await (const { csv } of flightBatches(FLIGHTS)) parts.push(csv)
  return parts.join('')
}

const FILES = { 'data/airports.csv': async () => airportsCsv(), 'data/flights.csv': flightsCsv }

export function flightsData() {
  return {
    name: 'flights-data',
    async generateBundle() {
      for (const [fileName, make] of Object.entries(FILES)) {
        this.emitFile({ type: 'asset', fileName, source: await make() })
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
