/** `pgtrickle plan`: what changes will cost, from a folder of migrations, without a server and without data. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { renderPlan } from './planner.js'
import type { StreamTable, StreamTablePlan } from './types.js'

/** The part of PGlite, with the plugin, that the command uses. */
export interface PlanHost {
  exec(sql: string): Promise<unknown>
  trickle: {
    listStreamTables(): Promise<StreamTable[]>
    explainStreamTable(name: string): Promise<StreamTablePlan>
  }
}

/** What the command line asks for. */
export interface PlanCommandOptions {
  folder: string
  /** Fail on a rebuild, and where the plans differ from the file. */
  check: boolean
  /** Write the file. */
  write: boolean
  /** The file; `pgtrickle.plan` in the folder unless given. */
  file: string | undefined
  /** A folder for one picture of each stream table. */
  pictures: string | undefined
  /** Stream tables that may run their query again. */
  allowed: string[]
}

/** Prints the plans. Returns what `--check` finds wrong. */
export async function planFolder(
  pg: PlanHost,
  options: PlanCommandOptions,
  print: (line: string) => void,
): Promise<string[]> {
  await migrate(pg, options.folder)
  const tables = await pg.trickle.listStreamTables()
  const plans: StreamTablePlan[] = []
  for (const { schema, name } of tables) plans.push(await pg.trickle.explainStreamTable(identifier(schema, name)))
  const text = plans.map(textOf).join('\n')
  print(text === '' ? `${options.folder} creates no stream table` : text.trimEnd())
  if (options.pictures !== undefined) await draw(plans, options.pictures)
  const file = options.file ?? join(options.folder, 'pgtrickle.plan')
  if (options.write) {
    await writeFile(file, text)
    print(`\nwritten to ${file}`)
  }
  if (!options.check) return []
  const rebuilt = plans.filter((plan) => plan.way === 'rebuild' && !options.allowed.includes(nameOf(plan)))
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return [
    ...rebuilt.map(
      (plan) => `${nameOf(plan)} runs its query again after every change: ${plan.reason ?? 'no rule covers it'}`,
    ),
    ...(known === undefined || known === text ? [] : [`the plans differ from ${file}:\n${differences(known, text)}`]),
  ]
}

/** Runs all .sql files in the order of their paths, as migration tools number them. */
async function migrate(pg: PlanHost, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true })
  const files = entries.filter((path) => path.endsWith('.sql') && !path.endsWith('.down.sql'))
  if (files.length === 0) throw new Error(`${folder} holds no .sql file`)
  const numbered = new Intl.Collator('en', { numeric: true })
  for (const path of files.sort((one, other) =>
    numbered.compare(one.split(sep).join('/'), other.split(sep).join('/')),
  )) {
    const file = join(folder, path)
    try {
      await pg.exec(await readFile(file, 'utf8'))
    } catch (error) {
      const { message, hint } = error as { message?: string; hint?: string }
      throw Object.assign(new Error(`${relative('.', file)}: ${message ?? String(error)}`, { cause: error }), { hint })
    }
  }
}

const nameOf = ({ schema, name }: StreamTablePlan): string => (schema === 'public' ? name : `${schema}.${name}`)

const identifier = (...parts: string[]): string => parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')

/** A plan for people. It names stages by their place, because numbers of storage tables say nothing. */
function textOf(plan: StreamTablePlan): string {
  const places = new Map(plan.stages.map((stage, n) => [stage.name, `stage ${n + 1}`]))
  const lines = [`${nameOf(plan)}: ${plan.way}${plan.reason === null ? '' : `, because of ${plan.reason}`}`]
  plan.stages.forEach((stage, n) => {
    const key = stage.key.length === 0 ? 'rows that can repeat' : `rows by ${stage.key.join(', ')}`
    const reason = stage.reason === null ? '' : `, because of ${stage.reason}`
    lines.push(`  stage ${n + 1} of ${plan.stages.length}: ${stage.way}, stores ${key}${reason}`)
    for (const { name, cost } of stage.sources) {
      lines.push(`    a change of ${places.get(name) ?? name} costs: ${cost}`)
    }
  })
  for (const advice of plan.advice) {
    lines.push(`  missing index: ${[...places].reduce((text, [name, place]) => text.replaceAll(name, place), advice)}`)
  }
  return `${lines.join('\n')}\n`
}

/** The lines that are gone and those that are new. */
function differences(known: string, text: string): string {
  const [before, after] = [known.split('\n'), text.split('\n')]
  const only = (lines: string[], others: string[], sign: string) => {
    const left = new Map<string, number>()
    for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
    return lines.flatMap((line) => {
      const count = left.get(line) ?? 0
      left.set(line, count - 1)
      return count > 0 ? [] : [`${sign} ${line}`]
    })
  }
  return [...only(before, after, '-'), ...only(after, before, '+')].join('\n') || '(only the order is different)'
}

async function draw(plans: StreamTablePlan[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const plan of plans) {
    const file = nameOf(plan).replace(/[^\w.-]/g, '_')
    await writeFile(join(folder, `${file}.svg`), renderPlan(plan))
  }
}
