import { MpesaStkError } from '../errors.ts'
import type { PaymentStatus } from '../payment/payment.ts'
import type { PollPorts } from './poll-payment.ts'
import { type PollSettings, pollDelayMs, pollWork } from './poll-schedule.ts'

/** How often to look whether the callback was faster, or another process's poll. */
const watchEveryMs = 250

/**
 * Watches a payment until it is settled, running polls meanwhile. Ends by itself, because polling does.
 *
 * @param runPolls runs polls that are due, of this payment or others
 * @throws MpesaStkError `MPESA_STK_PAYMENT_NOT_FOUND`
 */
export async function awaitSettlement(
  { store, clock }: PollPorts,
  settings: PollSettings & { readonly shortCode: string },
  checkoutRequestId: string,
  runPolls: () => Promise<void>,
): Promise<PaymentStatus> {
  for (let isFirstLook = true; ; isFirstLook = false) {
    const record = await store.findPayment({ checkoutRequestId })
    const { initiation, payment } = record ?? {}
    if (initiation === undefined || payment == null) {
      throw new MpesaStkError('MPESA_STK_PAYMENT_NOT_FOUND', 'no payment of ours has this CheckoutRequestID')
    }
    if (payment.status !== 'PENDING') return payment.status
    // Asking needs the passkey of its shortcode: only a process that has that one ever would.
    if (!['', settings.shortCode].includes(initiation.shortCode)) {
      throw new MpesaStkError(
        'MPESA_STK_PAYMENT_NOT_FOUND',
        `this payment is of shortcode ${initiation.shortCode}, and here is ${settings.shortCode}; ask there`,
      )
    }
    // One that was pending for days when the store was upgraded is polled by nobody until somebody asks.
    if (isFirstLook) await store.addWork([pollWork(initiation, pollDelayMs(0, settings.pollIntervalMs))], clock.now())
    await runPolls()
    await clock.sleep(watchEveryMs)
  }
}
