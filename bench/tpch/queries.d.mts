/** The 22 queries of TPC-H. */
export const QUERIES: readonly { readonly table: string; readonly hits: string; readonly sql: string }[]
