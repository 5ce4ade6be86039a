/** Runs a Worker in workerd, the server of Cloudflare Workers. */
import { spawn } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Starts workerd. `bundle` is what `bundleWorker` resolved to; `folder` takes the configuration and, with
 * `durableObject`, the name of a class, its storage. Resolves to `{ url, process, stop }`.
 */
export async function startWorkerd({ bundle, folder, port = 0, durableObject, env = {} }) {
  const storage = join(folder, 'storage')
  await mkdir(storage, { recursive: true })
  await writeFile(join(folder, 'worker.js'), bundle.script)
  for (const { name, path } of bundle.files) await copyFile(path, join(folder, name))
  const modules = bundle.files.map(
    ({ name }) => `(name = ${text(name)}, ${name.endsWith('.wasm') ? 'wasm' : 'data'} = embed ${text(name)})`,
  )
  const object = durableObject
    ? `durableObjectNamespaces = [(className = ${text(durableObject)}, uniqueKey = "object", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "BOARD", durableObjectNamespace = ${text(durableObject)})],`
    : ''
  await writeFile(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "storage", disk = (path = ${text(storage)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), ${modules.join(', ')}],
  compatibilityDate = "2026-06-01",
  ${object}
);
`,
  )
  const [program, ...before] = workerdCommand()
  const child = spawn(program, [...before, 'serve', '--control-fd=3', join(folder, 'config.capnp')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, ...env },
  })
  const exited = new Promise((done) => child.once('exit', done))
  const listening = await new Promise((done, fail) => {
    let said = ''
    child.stdio[3].on('data', (data) => {
      said += data
      const line = said.split('\n').find((each) => each.includes('"listen"'))
      if (line) done(JSON.parse(line))
    })
    child.once('error', fail)
    void exited.then((status) => fail(new Error(`workerd ended with status ${status}`)))
  })
  return {
    url: `http://127.0.0.1:${listening.port}`,
    process: child,
    /** Resolves once it has ended. It would wait for connections that are still open. */
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
      await exited
      clearTimeout(timer)
    },
  }
}

function text(value) {
  return JSON.stringify(value)
}

/** The program itself, so that a signal reaches it; the package knows the one for this machine. */
function workerdCommand() {
  const { resolve } = createRequire(import.meta.url)
  const names = { x64: '64', arm64: 'arm64' }
  const name = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const manifest = resolve(`@cloudflare/workerd-${name}-${names[process.arch]}/package.json`)
    return [join(dirname(manifest), 'bin', process.platform === 'win32' ? 'workerd.exe' : 'workerd')]
  } catch {
    return [process.execPath, resolve('workerd/bin/workerd')]
  }
}
