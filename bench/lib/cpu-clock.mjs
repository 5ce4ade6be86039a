// Makes CPU time the clock of this process, and so of PGlite and its EXPLAIN ANALYZE. Import it before PGlite.

import { cpuTime } from './time.mjs'

performance.now = cpuTime
