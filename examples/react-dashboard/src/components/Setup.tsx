/** The page while the database is being opened and, the first time, filled. */
export function Setup({ what = 'Opening', part = 0 }: { what?: string; part?: number }) {
  return (
    <main className="setup">
      <h1>Flights, live</h1>
      <p role="status">{what} …</p>
      <progress value={part} aria-label="Progress" />
      <p className="quiet">
        The first visit loads the flights into PostgreSQL in this browser, which stores them in IndexedDB.
      </p>
    </main>
  )
}
