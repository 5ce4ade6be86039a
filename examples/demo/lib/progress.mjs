// Shows progress on stderr: a bar on a terminal, and occasional lines elsewhere.

import cliProgress from 'cli-progress'

export function progressBar(title, total) {
  const bar = new cliProgress.SingleBar({
    format: `${title} {bar} {percentage} %  {value} of {total}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    formatValue: (value, _options, type) =>
      type === 'percentage' ? `${value}`.padStart(3) : value.toLocaleString('en-US'),
    noTTYOutput: true,
    notTTYSchedule: 2000,
    clearOnComplete: true,
    hideCursor: true,
  })
  bar.start(total, 0)
  return { advance: (count) => bar.increment(count), stop: () => bar.stop() }
}
