import { useRef } from 'react'
import { whole } from '../format'

const MANY = MOST_FLIGHTS

/** Another number of flights, after saying what it takes. The figures are measured: see `docs/EXAMPLES.md`. */
export function MoreFlights({ rows }: { rows: number }) {
  const dialog = useRef<HTMLDialogElement>(null)
  if (rows === MANY) {
    return (
      <a className="plain" href={location.pathname}>
        Back to fewer flights
      </a>
    )
  }
  return (
    <>
      <button type="button" className="plain" onClick={() => dialog.current!.showModal()}>
        Use {whole(MANY)} flights
      </button>
      <dialog ref={dialog} aria-labelledby="more">
        <h3 id="more">{whole(MANY)} flights?</h3>
        <p>
          They are loaded at each visit, 42 MB, and kept in memory alone: the page takes about 1 GB. It opens after half
          a minute to a minute. The {whole(rows)} flights that you have stay as they are.
        </p>
        <form method="dialog">
          <button>Not now</button>
          <button className="main" onClick={() => location.assign(`?rows=${MANY}`)}>
            Load them
          </button>
        </form>
      </dialog>
    </>
  )
}
