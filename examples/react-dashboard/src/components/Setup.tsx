/** What is shown while the database is opened and, the first time, filled. */
export function Setup({ what = 'Opening', part = 0 }: { what?: string; part?: number }) {
  return (
    <main className="setup">
      <h1>Flights, live</h1>
      <p role="status">{what} …</p>
      <progress value={part} aria-label="Progress" />
      <p className="quiet">
        The first time, flights are loaded into a PostgreSQL in this browser. They stay in IndexedDB.
      </p>
    </main>
  )
}
