/** PGlite with the plugin, in the page itself. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { provide } from '../database.js'

provide((dataDir) => PGlite.create({ ...(dataDir !== undefined && { dataDir }), extensions: { trickle } }))
