/** Plans without a database, and plans as pictures: `@pgtrickle/pglite/planner`. */
export * from './planner/index.js'
