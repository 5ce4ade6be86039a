/** PGlite and the plugin in the page. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { provide } from '../database.js'

provide((dataDir) => PGlite.create({ ...(dataDir !== undefined && { dataDir }), extensions: { trickle } }))
