/** The tables of TPC-H, and their indexes, as SQL. */
export const SCHEMA: string
export const INDEXES: string
