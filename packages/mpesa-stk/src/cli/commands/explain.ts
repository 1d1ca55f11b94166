import type { Command } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { catalogue } from '../../core/explain/catalogue.ts'
import { type CatalogueApi, explain } from '../../core/explain/explain.ts'
import { formatFields } from '../table.ts'
import { type CommonOptions, print, type Terminal } from '../terminal.ts'

type Options = CommonOptions & { readonly api?: string; readonly message: string }

const apis = [...new Set(catalogue.map(({ api }) => api))]

export function addExplainCommand(program: Command, terminal: Terminal): void {
  program
    .command('explain <code>')
    .description('tell what a result or error code of Daraja means, and who can mend it')
    .option('--api <name>', `only where this answered it: ${apis.join(', ')}`)
    .option('--message <text>', 'the text beside it, where a code has several meanings', '')
    .action((code: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const wanted = options.api === undefined ? apis : apis.filter(api => api === options.api)
      if (wanted.length === 0) throw new MpesaStkError('MPESA_STK_CLI_USAGE', `--api takes one of ${apis.join(', ')}`)
      const known = wanted.filter(api => catalogue.some(row => row.api === api && row.code === code.trim()))
      // What no list has is explained all the same: by what it would be if a callback brought it.
      const shown: readonly CatalogueApi[] =
        known.length > 0 ? known : options.api === undefined ? ['stk-callback'] : wanted
      const explained = shown.map(api => ({ api, ...explain(api, code, options.message) }))
      print(terminal, options, explained, () => explained.map(describe).join('\n\n'))
    })
}

function describe({ api, customer, ...explanation }: ReturnType<typeof explain> & { readonly api: string }): string {
  return formatFields({
    ...explanation,
    api,
    'customer (English)': customer.en,
    'customer (Swahili)': customer.sw,
    sources: explanation.sources.join(', '),
  })
}
