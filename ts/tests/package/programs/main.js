/** An app that leaves everything to its bundler. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { work } from './work.js'

globalThis.result = PGlite.create({ extensions: { trickle } }).then(work)
