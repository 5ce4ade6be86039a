/**
 * JavaScript functions as functions of WebAssembly, without compiling anything.
 *
 * PGlite puts JavaScript callbacks into the table of its module. The table takes functions of WebAssembly only, so
 * Emscripten compiles a small module around each callback, and a Worker refuses that. A trampoline is that small module,
 * compiled beforehand: it imports a function and exports it again. Its text, for two parameters:
 *
 *     (module
 *       (import "e" "f" (func (param i32 i32) (result i32)))
 *       (export "f" (func 0)))
 *
 * All callbacks of PGlite take one or two numbers and return one.
 */
import { TrickleError } from '../errors.js'

/** The numbers of parameters that there are trampolines for. */
export const TRAMPOLINES = [1, 2] as const

const I32 = 0x7f
const FUNCTION = 0

/** The bytes of the module. Written to a file when the package is built. */
export function trampolineBytes(parameters: number): Uint8Array<ArrayBuffer> {
  const type = [0x60, ...vector(Array<number>(parameters).fill(I32)), ...vector([I32])]
  return Uint8Array.from([
    ...[0, ...ascii('asm'), 1, 0, 0, 0],
    ...section(1, [1, ...type]), // one type
    ...section(2, [1, ...name('e'), ...name('f'), FUNCTION, 0]), // one import, of that type
    ...section(7, [1, ...name('f'), FUNCTION, 0]), // one export
  ])
}

function section(id: number, content: number[]): number[] {
  return [id, ...vector(content)]
}

/** A length, which is below 128 here, and the bytes. */
function vector(bytes: number[]): number[] {
  return [bytes.length, ...bytes]
}

function name(text: string): number[] {
  return vector(ascii(text))
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0))
}

type Callback = (...numbers: number[]) => unknown

/** The function of WebAssembly that calls `callback`. `signature` is Emscripten's: the result, then the parameters. */
export function throughTrampoline(
  trampolines: Record<number, WebAssembly.Module>,
  callback: Callback,
  signature: string,
): Callback {
  const [result, ...parameters] = signature
  const module = trampolines[parameters.length]
  if (module === undefined || ![result, ...parameters].every((type) => type === 'i' || type === 'p')) {
    throw new TrickleError(`there is no trampoline for a callback of PGlite with the signature ${signature}`, {
      code: '0A000',
      hint: 'Use a release of @electric-sql/pglite that this version of @pgtrickle/pglite supports.',
    })
  }
  return new WebAssembly.Instance(module, { e: { f: callback } }).exports.f as Callback
}
