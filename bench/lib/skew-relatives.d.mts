import type { SkewedQuery } from './skew.mjs'

export const RELATIVES: SkewedQuery[]
