import js from '@eslint/js'
import globals from 'globals'
import typescript from 'typescript-eslint'

export default typescript.config(
  { ignores: ['**/dist/', '**/node_modules/', 'build/', 'target/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  { files: ['**/*.{js,mjs,cjs}'], languageOptions: { globals: globals.node } },
  { files: ['**/*.ts'], extends: [typescript.configs.recommended] },
  { rules: { eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error' } },
)
