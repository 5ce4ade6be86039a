import type { Database } from '../database'
import { board } from './board'
import { flights } from './flights'
import { graph } from './graph'
import { shop } from './shop'

/** A piece of SQL with a name. */
export interface Example {
  title: string
  sql: string
}

/** Tables with rows, queries over them, and changes. */
export interface Dataset {
  title: string
  /** Creates the tables and fills them. */
  load(pg: Database): Promise<unknown>
  queries: readonly [Example, ...Example[]]
  changes: readonly [Example, ...Example[]]
}

export const DATASETS = { shop, flights, graph, board } satisfies Record<string, Dataset>

export type DatasetName = keyof typeof DATASETS

export const isDataset = (name: unknown): name is DatasetName =>
  typeof name === 'string' && Object.hasOwn(DATASETS, name)
