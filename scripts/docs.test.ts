import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createSimulator } from 'mpesa-stk-simulator'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../packages/mpesa-stk/src/core/errors.ts'
import { documentsWithTables, fillTables } from './docs-tables.ts'

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
    expect(codeBlocks.length).toBeGreaterThanOrEqual(2)
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
    const folder = makeFolder()
    try {
      const file = join(folder, 'program.ts')
      writeFileSync(file, program?.code ?? '')
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--conditions=@mpesa-stk/source', '--import', 'tsx', file],
        { cwd: root, timeout: 60_000 },
      )
      expect(stdout.trim().split('\n')).toEqual(['PENDING', expect.stringMatching(/^ORDER-123 SUCCESS [A-Z0-9]{10}$/)])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('show a shop in one file that runs as printed, against the simulator', async () => {
    const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(read('packages/mpesa-stk/README.md')) ?? []
    await using simulator = await createSimulator({ seed: 1 })
    const folder = makeFolder()
    const port = await freePort()
    const text = program
      .replaceAll('127.0.0.1:4010', new URL(simulator.url).host)
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
      .replace('listen(3000', `listen(${port}`)
      .replace("'payments.db'", JSON.stringify(join(folder, 'payments.db')))
    writeFileSync(join(folder, 'shop.mjs'), text)
    const child = spawn(
      process.execPath,
      ['--conditions=@mpesa-stk/source', '--import', 'tsx', join(folder, 'shop.mjs')],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      expect((await lines.next()).value).toBe('ready')
      const pay = async (order: string, phone: string): Promise<string> => {
        const init = { method: 'POST', body: JSON.stringify({ order, phone }) }
        return (await fetch(`http://127.0.0.1:${port}/checkout`, init)).text()
      }
      expect(await pay('ORDER-1', '0708374149')).toBe('Look at your phone.')
      expect((await lines.next()).value).toMatch(/^pack ORDER-1 [A-Z0-9]{10}$/)
      expect(await pay('ORDER-1', '0708374149')).toBe('This order is paid.')
      expect(await pay('ORDER-2', '0700001032')).toBe('Look at your phone.')
      expect((await lines.next()).value).toMatch(/^not paid ORDER-2 CANCELLED The payment request was closed/)
      expect(await pay('ORDER-2', '0708374149'), 'from another phone').toBe('Look at your phone.')
      expect((await lines.next()).value).toMatch(/^pack ORDER-2/)
      expect(await pay('ORDER-2', '0110345678')).toBe(
        'A payment of this order is under way, or done, from another phone.',
      )
      expect(await pay('ORDER-3', '020 222 2222')).toMatch(/not a Kenyan mobile number/)
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await exit).toEqual([0, null])
    } finally {
      child.kill('SIGKILL')
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

test.each(documentsWithTables)(
  '%s prints the tables that the code decides by (npx tsx scripts/write-docs-tables.ts)',
  path => {
    const text = read(path)
    expect(text).toContain('<!-- table:')
    expect(text).toBe(fillTables(text))
  },
)

test('docs/errors.md has every error code, and no other', () => {
  const listed = [...read('docs/errors.md').matchAll(/^\| `(MPESA_STK_\w+)`/gm)].map(([, code]) => code)
  expect(new Set(listed)).toEqual(new Set(Object.keys(errorCodes)))
  expect(listed).toHaveLength(Object.keys(errorCodes).length)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** Inside the repository, so that the programs find its packages; ignored by git and by the linters. */
function makeFolder(): string {
  mkdirSync(join(root, '.data'), { recursive: true })
  return mkdtempSync(join(root, '.data', 'readme-'))
}
