export const TABLES: string
export const INDEXES: string
