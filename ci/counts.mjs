// How many tests passed and failed, from what each kind of runner prints.

const numbers = (output, pattern) => [...output.matchAll(pattern)].map((match) => match.slice(1).map(Number))

const add = (pairs) => pairs.reduce(([p, f], [passed, failed]) => [p + passed, f + failed], [0, 0])

const counts = ([passed, failed]) => ({ passed, failed })

/** The last line of a script of ours. */
const summary = (name) => (output) =>
  counts(add(numbers(output, new RegExp(`^${name}: (\\d+) passed, (\\d+) failed$`, 'gm'))))

export const gateCounts = summary('gates')
export const tpchCounts = summary('tpch')
export const siteCounts = summary('site')

/** One line for each test binary. */
export const cargoCounts = (output) => counts(add(numbers(output, /^test result: \w+\. (\d+) passed; (\d+) failed;/gm)))

/** node:test's "spec". */
export function nodeCounts(output) {
  const line = (what) => Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0)
  return { passed: line('pass'), failed: line('fail') }
}

/** vitest's JSON report. A file that could not be loaded has no tests, and is one failure. */
export function vitestCounts(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length }
}

/** What vitest's JSON report says of what failed: a line for each test, or file that could not be loaded. */
export function vitestFailures(report) {
  const line = (message) => (message ?? '').split('\n')[0].slice(0, 300)
  return report.testResults.flatMap((file) => {
    const name = file.name.replace(/^.*\/tests\//, '')
    const failed = file.assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0 && file.status === 'failed') return [`${name}: ${line(file.message)}`]
    return failed.map((test) => `${name}: ${test.fullName.trim()}: ${line(test.failureMessages[0])}`)
  })
}

/** A suite that failed without a failed test to show for it counts as one failure, and so does one that ran no test. */
export function judged(title, counted, status, output) {
  const failure = (what) => ({ ...counted, failed: 1, failures: [`${title}: ${what}`] })
  if (counted.failed) return counted
  if (status) return failure(`no test failed, but the suite ended with status ${status}. ${lastErrors(output)}`)
  return counted.passed ? counted : failure('no test ran')
}

/** The last lines that speak of an error: too little coverage, an error outside of every test, a worker that died. */
function lastErrors(output) {
  // eslint-disable-next-line no-control-regex
  const lines = output.replace(/\x1b\[[\d;]*m/g, '').split('\n')
  const errors = lines.filter((line) => /\b(error|errors|uncaught|unhandled)\b/i.test(line))
  return errors
    .slice(-5)
    .map((line) => line.trim().slice(0, 200))
    .join(' | ')
}
