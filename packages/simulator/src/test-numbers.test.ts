import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scenarioSchema } from './scenario.ts'
import { testNumbers } from './test-numbers.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const rows = [...readme.matchAll(/^\| (\d{12}) \| (.+) \|$/gm)].map(([, msisdn, about]) => [msisdn, about])

it('are listed in the README, all and in these words', () => {
  const decapitalise = (text: string) =>
    text.charAt(0).toLowerCase() + text.slice(1).replace(". Safaricom's", "; Safaricom's")
  const expected = testNumbers.map(({ msisdn, about }) => [
    msisdn,
    about.startsWith('PIN') ? about : decapitalise(about),
  ])
  expect(rows).toEqual(expected)
})

it('stand beside a README that names every scenario field', () => {
  for (const field of Object.keys(scenarioSchema.shape)) expect(readme).toContain(`\`${field}\``)
})
