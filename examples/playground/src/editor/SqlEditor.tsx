import { useEffect, useRef } from 'react'
import type { Table } from '../database'
import { createEditor } from './editor'
import type { Editor, Range } from './editor'

interface Props {
  label: string
  text: string
  tables: readonly Table[]
  wrong?: Range | undefined
  onChange: (text: string) => void
  onRun: () => void
}

/** CodeMirror as a component. */
export function SqlEditor({ label, text, tables, wrong, onChange, onRun }: Props) {
  const parent = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor>(undefined)
  const latest = useRef({ text, onChange, onRun })
  useEffect(() => void (latest.current = { text, onChange, onRun }))

  useEffect(() => {
    editor.current = createEditor({
      parent: parent.current!,
      label,
      text: latest.current.text,
      onChange: (next) => latest.current.onChange(next),
      onRun: () => latest.current.onRun(),
    })
    return () => editor.current?.destroy()
  }, [label])
  useEffect(() => editor.current?.setText(text), [text])
  useEffect(
    () => editor.current?.setTables(Object.fromEntries(tables.map(({ name, columns }) => [name, columns]))),
    [tables],
  )
  useEffect(() => editor.current?.setWrong(wrong), [wrong])

  return <div ref={parent} className="editor" />
}
