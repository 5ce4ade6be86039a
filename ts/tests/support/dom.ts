/** A document for React in Node, and nothing more: PGlite and the loader of bundles must not take Node for a browser. */
import { Window } from 'happy-dom'

const window = new Window()
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true })
if (typeof navigator === 'undefined') Object.assign(globalThis, { navigator: window.navigator })
