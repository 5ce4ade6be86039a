export interface SkewedQuery {
  name: string
  query: string
  key: string[]
  table?: 'o' | 'player' | 'tree' | 'g'
  kinds?: string[]
  all?: string
  most?: number
}
export const GROUPS: number
export function tables(schema: string, rows: number): string
export const CHANGES: Record<string, (share: number, rows: number) => Record<string, string>>
export const OTHERS: Record<string, string>
export const QUERIES: SkewedQuery[]
