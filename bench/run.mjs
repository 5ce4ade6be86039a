// Runs all benchmarks: `npm run bench [-- --quick] [-- --json]`.

import { groupBy } from './group-by.mjs'
import { join } from './join.mjs'
import { main } from './lib/benchmark.mjs'
import { readOptions } from './lib/options.mjs'

const options = readOptions()
await main([groupBy(), groupBy({ nullable: true }), join()], options)
