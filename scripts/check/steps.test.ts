import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runStep } from './run-step.ts'
import { pickSteps, steps } from './steps.ts'
import { repository } from './workspaces.ts'

test('every step has a name of its own', () => {
  expect(new Set(steps.map(step => step.name)).size).toBe(steps.length)
})

test('picks by name in the order of the table, and refuses a name that it does not know', () => {
  expect(pickSteps(undefined)).toBe(steps)
  expect(pickSteps('lint, format').map(step => step.name)).toEqual(['format', 'lint'])
  expect(() => pickSteps('lint,typos')).toThrow(/no such step: typos\nsteps: format, lint/)
})

test('keeps the output of a step and tells success from failure', async () => {
  const version = { name: 'a', title: 'A', command: ['tsx', '--version'] } as const
  expect(await runStep(version, repository, false)).toMatchObject({
    passed: true,
    output: expect.stringMatching(/^tsx/),
  })
  const broken = { name: 'b', title: 'B', command: ['tsx', join(tmpdir(), 'no-such-file.ts')] } as const
  expect(await runStep(broken, repository, false)).toMatchObject({ name: 'b', passed: false })
})

test('a program that is not installed is a failed step with a remedy', async () => {
  const absent = { name: 'c', title: 'C', command: ['no-such-program'] } as const
  const { passed, output } = await runStep(absent, repository, false)
  expect(passed).toBe(false)
  expect(output).toContain('npm ci')
})
