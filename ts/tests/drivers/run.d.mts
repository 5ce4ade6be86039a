/** What a driver's script has printed. */
export interface DriverResult {
  driver: string | undefined
  settings: string | undefined
  passed: string[]
  failed: string[]
  status: number | null
  output: string
}

export const DRIVERS: Record<'node-postgres' | 'psql' | 'psycopg' | 'pgx' | 'JDBC' | 'tokio-postgres' | 'php-pdo' | 'elixir' | 'examples/elixir' | 'pg_dump', { needs: string[] }>
export function runDriver(name: keyof typeof DRIVERS, major: 17 | 18): Promise<DriverResult>
export function isOnPath(program: string): boolean
export function pythonWith(requirements: string): string
