/** An editor for SQL: CodeMirror with PostgreSQL's words, and the names of the tables. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { bracketMatching, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, Prec, StateEffect, StateField } from '@codemirror/state'
import { Decoration, drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import type { DecorationSet } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'

/** A part of the text. */
export interface Range {
  from: number
  to: number
}

interface Settings {
  parent: HTMLElement
  label: string
  text: string
  onChange: (text: string) => void
  /** Ctrl+Enter, or Cmd+Enter. */
  onRun: () => void
}

export interface Editor {
  setText(text: string): void
  /** Underlines the part that is wrong. */
  setWrong(range: Range | undefined): void
  setTables(tables: Record<string, readonly string[]>): void
  destroy(): void
}

const setWrong = StateEffect.define<Range | undefined>()

const wrongPart = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    // What was wrong may be right now.
    if (transaction.docChanged) marks = Decoration.none
    for (const effect of transaction.effects) {
      if (!effect.is(setWrong)) continue
      const range = effect.value
      marks = range ? Decoration.set(Decoration.mark({ class: 'wrong' }).range(range.from, range.to)) : Decoration.none
    }
    return marks
  },
  provide: (field) => EditorView.decorations.from(field),
})

export function createEditor({ parent, label, text, onChange, onRun }: Settings): Editor {
  const language = new Compartment()
  const run = () => {
    onRun()
    return true
  }
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ icons: false }),
        // Without Tab, which leads on to the next control.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
        language.of(sql({ dialect: PostgreSQL })),
        syntaxHighlighting(classHighlighter),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
        placeholder('SELECT …'),
        wrongPart,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString())
        }),
      ],
    }),
  })
  return {
    setText(next) {
      if (next === view.state.doc.toString()) return
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } })
    },
    setWrong(range) {
      const end = view.state.doc.length
      const fits = range !== undefined && range.from < range.to && range.to <= end
      view.dispatch({ effects: setWrong.of(fits ? range : undefined) })
    },
    setTables(tables) {
      view.dispatch({
        effects: language.reconfigure(sql({ dialect: PostgreSQL, schema: tables, upperCaseKeywords: true })),
      })
    },
    destroy: () => view.destroy(),
  }
}
