/** Measures itself as it loads. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { coldStart } from '../../../../../bench/lib/cold-start.mjs'

globalThis.measured = coldStart(PGlite, trickle)
