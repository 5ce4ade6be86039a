import { Component } from 'react'
import type { ReactNode } from 'react'

/** The page when the database cannot be opened, or when something on the page fails. */
export function Failure({ message }: { message: string }) {
  return (
    <main className="setup" role="alert">
      <h1>Something went wrong</h1>
      <p>{message}</p>
      <button type="button" className="main" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  )
}

/** Shows a failure in place of a page that cannot be rendered, which would be blank. */
export class FailureBoundary extends Component<{ children: ReactNode }, { message?: string }> {
  override state: { message?: string } = {}

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) }
  }

  override render() {
    return this.state.message === undefined ? this.props.children : <Failure message={this.state.message} />
  }
}
