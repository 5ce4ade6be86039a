/** What the build knows of the data: see `data.mjs`. */
declare const MOST_FLIGHTS: number
declare const FLIGHTS_IN_FILE: number
