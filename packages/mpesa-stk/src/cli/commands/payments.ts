import type { Command } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { formatMoment } from '../moment.ts'
import { withPaymentStore } from '../open-payment-store.ts'
import { findStories, maskStory, type PaymentStory } from '../payment-story.ts'
import { formatFields, formatTable } from '../table.ts'
import { type CommonOptions, paint, print, type Terminal } from '../terminal.ts'

type Options = CommonOptions & { readonly file?: string; readonly showPhone?: true; readonly limit: string }

const maxPayments = 1_000

export function addPaymentCommands(program: Command, terminal: Terminal): void {
  program
    .command('payments')
    .description('look at the payments of the library')
    .command('show <key>')
    .description('the whole story of a payment: receipt, phone number, reference, CheckoutRequestID or payment id')
    .option('--file <path>', 'the SQLite file of the library; else DATABASE_URL, else MPESA_STORE_FILE')
    .option('--limit <n>', 'the newest so many payments', '20')
    .option('--show-phone', 'do not mask phone numbers')
    .action(async (key: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const limit = Number(options.limit)
      if (!Number.isInteger(limit) || limit < 1 || limit > maxPayments) {
        throw new MpesaStkError('MPESA_STK_CLI_USAGE', `--limit takes a number from 1 to ${maxPayments}`)
      }
      const found = await withPaymentStore(terminal, options.file, store => findStories(store, key, limit))
      if (found.length === 0) {
        throw new MpesaStkError(
          'MPESA_STK_PAYMENT_NOT_FOUND',
          'the store has no payment with this receipt, number, reference or id; is it the right store?',
        )
      }
      // Dates as text, as a program gets them.
      const stories = options.showPhone === true ? found : found.map(maskStory)
      print(terminal, options, stories, () => stories.map(story => describe(terminal, story)).join('\n\n'))
    })
}

function describe(terminal: Terminal, { payment, trail, callbacks }: PaymentStory): string {
  const { explanation, ...view } = payment
  const accepted = 'version' in view ? view : null
  const fields = formatFields({
    payment: view.id,
    status: paint(terminal, 'bold', view.status),
    amount: `KES ${view.amount}`,
    phone: view.phoneNumber,
    reference: view.accountReference,
    shortcode: view.shortCode,
    receipt: accepted?.mpesaReceiptNumber,
    result: accepted?.resultCodeText && `${accepted.resultCodeText} ${accepted.failureReason ?? ''}`.trim(),
    meaning: explanation?.operator,
    CheckoutRequestID: accepted?.checkoutRequestId,
    MerchantRequestID: accepted?.merchantRequestId,
    'idempotency key': view.idempotencyKey,
    initiated: moment(view.initiatedAt),
    completed: accepted?.completedAt == null ? undefined : moment(accepted.completedAt),
  })
  const entries = formatTable(
    ['#', 'when', 'what', 'by', 'before → after', 'evidence'],
    trail.map(({ sequence, at, event, cause, before, after, evidence }) => [
      String(sequence),
      moment(at),
      event,
      cause,
      `${before ?? '-'} → ${after ?? '-'}`,
      Object.entries(evidence)
        .map(([name, value]) => `${name}=${shorten(value)}`)
        .join(' '),
    ]),
  )
  const kept = formatTable(
    ['callback came', 'and was', 'sha-256'],
    callbacks.map(({ receivedAt, disposition, digest }) => [moment(receivedAt), disposition, shorten(digest)]),
  )
  return [fields, entries, ...(callbacks.length > 0 ? [kept] : [])].join('\n\n')
}

const moment = (at: Date | string): string => formatMoment(new Date(at))

/** A hash is whole in JSON. */
function shorten(value: string | number | boolean | null): string {
  return String(value).replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1…')
}
