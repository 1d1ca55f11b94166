import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Check, type Surroundings, setting } from './check.ts'
import { type Finding, type FindingText, findingsOf } from './finding.ts'
import { findRelayFolder } from './relay-folder.ts'

const texts = {
  'secret-committed': {
    level: 'error',
    what: 'the value of {variable} is in {file}, which git tracks',
    why: 'whoever can read the repository, its forks and its history can act as you towards Safaricom or your merchants',
    mend: 'make a new secret where the old one came from, set it outside the repository, and take it out of {file}; its history keeps the old one',
  },
  'env-file-tracked': {
    level: 'error',
    what: '{file} is tracked by git and sets {variables}',
    why: 'whoever can read the repository, its forks and its history has your secrets',
    mend: 'git rm --cached {file}, add it to .gitignore, and make new secrets; its history keeps the old ones',
  },
} as const satisfies Record<string, FindingText>

const find = findingsOf('committed-secrets', texts)

const secretVariables = [
  ...['MPESA_CONSUMER_KEY', 'MPESA_CONSUMER_SECRET', 'MPESA_PASSKEY', 'MPESA_AUDIT_KEY', 'MPESA_RELAY_SECRET'],
  ...['MPESA_INITIATOR_PASSWORD', 'MPESA_SECURITY_CREDENTIAL'],
  ...['RELAY_ADMIN_TOKEN', 'RELAY_ENCRYPTION_KEY', 'RELAY_SIGNING_SECRET', 'DATABASE_URL'],
]
/** Shorter ones are words that are found everywhere. */
const shortest = 8

type CommittedFacts = {
  /** Which secret is in which tracked file. */
  readonly found: readonly { readonly variable: string; readonly file: string }[]
  readonly envFiles: readonly { readonly file: string; readonly variables: readonly string[] }[]
}

export const committedSecrets: Check = {
  name: 'committed-secrets',
  about: 'secrets in the git repository of this folder',
  texts,
  async run(surroundings) {
    const root = await git(surroundings, surroundings.folder, ['rev-parse', '--show-toplevel'])
    if (root.outcome === 'no-git') return { skipped: 'git is not installed' }
    if (root.code !== 0) return { skipped: 'git knows no repository here' }
    return judgeCommitted(await gatherCommitted(surroundings, root.output.replace(/\n$/, '')))
  },
}

function judgeCommitted({ found, envFiles }: CommittedFacts): Finding[] {
  return [
    ...envFiles.map(({ file, variables }) => find('env-file-tracked', { file, variables: variables.join(', ') })),
    ...found.map(each => find('secret-committed', each)),
  ]
}

async function gatherCommitted(surroundings: Surroundings, root: string): Promise<CommittedFacts> {
  const found = []
  for (const [variable, value] of readSecrets(surroundings)) {
    // The value goes in by stdin: arguments are seen by every user of the machine. What is staged counts as committed.
    const { output } = await git(
      surroundings,
      root,
      ['grep', '--cached', '--files-with-matches', '-z', '--fixed-strings', '--no-textconv', '-f', '-'],
      value,
    )
    for (const file of output.split('\0').filter(name => name !== '')) found.push({ variable, file })
  }
  const tracked = await git(surroundings, root, ['ls-files', '-z'])
  const envFiles = []
  for (const file of tracked.output.split('\0').filter(isEnvFile)) {
    const { output } = await git(surroundings, root, ['show', `:${file}`])
    const variables = findSet(output)
    if (variables.length > 0) envFiles.push({ file, variables })
  }
  return { found, envFiles }
}

/** What the environment holds, and the key that the relay made. The sandbox's passkey is printed on the portal. */
function readSecrets(surroundings: Surroundings): readonly (readonly [string, string])[] {
  const isPublicPasskey = setting(surroundings, 'MPESA_SHORTCODE') === '174379'
  const set = secretVariables
    .filter(name => !(name === 'MPESA_PASSKEY' && isPublicPasskey))
    .flatMap(name => formsOf(name, setting(surroundings, name) ?? '').map(form => [name, form] as const))
  const dataFolder = findRelayFolder(surroundings)
  const made = dataFolder === null ? '' : readIfThere(join(dataFolder, 'encryption-key')).trim()
  return [...set, ['the relay’s encryption key', made] as const].filter(
    ([, value]) => value.length >= shortest && !value.includes('\n'),
  )
}

/** Of a database's address its password alone, as it stands there and as it is: the rest is no secret. */
function formsOf(name: string, value: string): readonly string[] {
  if (name !== 'DATABASE_URL') return [value]
  const password = URL.canParse(value) ? new URL(value).password : ''
  return [...new Set([password, decoded(password)])]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Samples show names, and no values. */
function isEnvFile(file: string): boolean {
  return /^\.env(?:\.|$)/.test(basename(file)) && !/\.(?:example|sample|template|dist)$/.test(file)
}

function findSet(text: string): readonly string[] {
  const set = [...text.matchAll(/^\s*(?:export\s+)?(\w+)\s*=\s*["']?([^"'\s]*)/gm)]
  return set.filter(([, name = '', value]) => secretVariables.includes(name) && value).map(([, name = '']) => name)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

type GitAnswer = { readonly outcome: 'ran' | 'no-git'; readonly code: number | null; readonly output: string }

function git({ signal }: Surroundings, cwd: string, args: readonly string[], input = ''): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, signal, stdio: ['pipe', 'pipe', 'ignore'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ outcome: 'no-git', code: null, output: '' })
      else reject(error)
    })
    child.on('close', code => resolve({ outcome: 'ran', code, output: Buffer.concat(chunks).toString('utf8') }))
    // It may have ended before it read.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
