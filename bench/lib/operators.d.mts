export function tables(rows: number): string
export const FEWEST: number
export const CHANGES: [what: string, sql: string][]
export const OPERATORS: [number: number, name: string, query: string][]
