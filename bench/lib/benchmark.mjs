// Runs one benchmark: installs the copies, measures, compares, and returns the figures.

import { equalsQuery } from './compare.mjs'
import { open } from './database.mjs'
import { environment } from './environment.mjs'
import { fromJavaScript, insideDatabase, liveCallback, rerunTimes } from './measure.mjs'
import { summary } from './stats.mjs'
import { printEnvironment, printResult } from './report.mjs'
import { install, schemaOf, VARIANTS } from './workload.mjs'

/** Measures a workload and returns its figures. */
export async function benchmark(workload, options, progress) {
  const pg = await open()
  try {
    for (const rows of options.sizes) {
      for (const variant of VARIANTS) {
        progress(`loading ${rows.toLocaleString('en-US')} rows for "${variant}"`)
        await install(pg, workload, variant, { rows, groups: options.groups })
      }
    }
    await pg.exec('VACUUM ANALYZE')

    const inside = await insideDatabase(pg, workload, options, progress)
    const javascript = await fromJavaScript(pg, workload, options, progress)
    progress('running the query again')
    const reruns = await rerunTimes(pg, workload, options)
    const live = await liveCallback(pg, workload, options, progress)
    progress('comparing with the query')
    const equal = await allEqual(pg, workload, options)
    return {
      name: workload.name,
      title: workload.title,
      query: workload.query('public').replaceAll('public.', ''),
      options,
      environment: await environment(pg),
      ...figures(workload, options, { inside, javascript, live, reruns }),
      equal,
    }
  } finally {
    progress('')
    await pg.close()
  }
}

/** Runs benchmarks for the command line: text or JSON on stdout, progress on stderr, exit code 1 for a wrong result. */
export async function main(workloads, options) {
  const results = []
  for (const workload of workloads) results.push(await benchmark(workload, options, progressLine(workload.name)))
  if (options.json) {
    console.log(JSON.stringify(results, null, 2))
  } else {
    printEnvironment(results[0].environment)
    for (const result of results) printResult(result)
  }
  if (!results.every((result) => result.equal)) process.exitCode = 1
}

function figures(workload, options, { inside, javascript, live, reruns }) {
  const { rows, sizes } = options
  const smallest = sizes[0]
  const largest = sizes.at(-1)
  return {
    inside: workload.changes.map((change, index) => {
      const line = perVariant(inside[index][rows])
      return {
        change: change.name,
        ...line,
        streamToHand: line.stream.median / line.hand.median,
        goal: change.goal ?? false,
      }
    }),
    javascript: workload.changes.map((change, index) => {
      const line = { ...perVariant(javascript[index][rows]), live: summary(live[index]) }
      return { change: change.name, ...line, liveToStream: line.live.median / line.stream.median }
    }),
    rerun: summary(reruns),
    scaling: workload.changes.map((change, index) => {
      const line = { change: change.name }
      for (const variant of VARIANTS) {
        const medians = Object.fromEntries(sizes.map((size) => [size, summary(inside[index][size][variant]).median]))
        line[variant] = { medians, growth: medians[largest] / medians[smallest] }
      }
      return line
    }),
  }
}

function perVariant(samples) {
  return Object.fromEntries(VARIANTS.map((variant) => [variant, summary(samples[variant])]))
}

/** Compares every maintained copy with its query, because a fast wrong result is worth nothing. */
async function allEqual(pg, workload, options) {
  for (const rows of options.sizes) {
    for (const variant of ['hand', 'stream']) {
      const schema = schemaOf(variant, rows)
      if (!(await equalsQuery(pg, `${schema}.agg`, workload.query(schema)))) return false
    }
  }
  return true
}

/** Overwrites one line on a terminal; elsewhere prints a line for each new phase. */
function progressLine(name) {
  let phase = ''
  return (text) => {
    if (process.stderr.isTTY) {
      process.stderr.write(text ? `\r\x1b[K${name}: ${text}` : '\r\x1b[K')
    } else if (text) {
      const now = text.split(':')[0]
      if (now !== phase) process.stderr.write(`${name}: ${now}\n`)
      phase = now
    }
  }
}
