import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../packages/mpesa-stk/src/core/errors.ts'
import { fillTables } from './docs-tables.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const documents = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`),
  ...readdirSync(join(root, 'packages')).map(name => `packages/${name}/README.md`),
  'fixtures/daraja/README.md',
].filter(path => path.endsWith('.md') && existsSync(join(root, path)))

const codeBlocks = documents.flatMap(path =>
  [...read(path).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ''], index) => ({
    name: `${path}#${index + 1}`,
    code,
  })),
)

describe('the documents', () => {
  test('show code that compiles', () => {
    expect(codeBlocks.length).toBeGreaterThanOrEqual(5)
    const files = new Map(
      codeBlocks.map(({ name, code }) => [join(root, `${name.replaceAll('/', '_')}.ts`), { name, code }]),
    )
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const host = ts.createCompilerHost(options)
    const { getSourceFile, fileExists, readFile } = host
    host.fileExists = path => files.has(path) || fileExists(path)
    host.readFile = path => files.get(path)?.code ?? readFile(path)
    host.getSourceFile = (path, language, ...rest) => {
      const block = files.get(path)
      return block
        ? ts.createSourceFile(path, `${block.code}\nexport {}`, language)
        : getSourceFile(path, language, ...rest)
    }
    const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host)
    const problems = [...files.entries()].flatMap(([path, { name }]) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(path))
        .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
    )
    expect(problems).toEqual([])
  })

  test('show a first program that runs as printed', async () => {
    const program = codeBlocks.find(({ name }) => name === 'README.md#1')
    const folder = mkdtempSync(join(root, '.readme-'))
    try {
      const file = join(folder, 'program.ts')
      writeFileSync(file, program?.code ?? '')
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--conditions=@mpesa-stk/source', '--import', 'tsx', file],
        { cwd: root, timeout: 15_000 },
      )
      expect(stdout.trim().split('\n')).toEqual(['PENDING', expect.stringMatching(/^ORDER-123 SUCCESS [A-Z0-9]{10}$/)])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('link to files that exist', () => {
    const broken = documents.flatMap(path =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter(target => !existsSync(resolve(root, dirname(path), target)))
        .map(target => `${path}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  test('name no private place', () => {
    const leaks = documents.filter(path => /\/work\/|\.\.\/shared|registry\.npmjs/.test(read(path)))
    expect(leaks).toEqual([])
  })
})

test('ARCHITECTURE.md prints the tables that the code decides by (npx tsx scripts/write-docs-tables.ts)', () => {
  const text = read('ARCHITECTURE.md')
  expect(text).toContain('<!-- table:settlement -->')
  expect(text).toBe(fillTables(text))
})

test('docs/errors.md has every error code, and no other', () => {
  const listed = [...read('docs/errors.md').matchAll(/^\| `(MPESA_STK_\w+)`/gm)].map(([, code]) => code)
  expect(new Set(listed)).toEqual(new Set(Object.keys(errorCodes)))
  expect(listed).toHaveLength(Object.keys(errorCodes).length)
})
