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
    if (record?.payment == null) {
      throw new MpesaStkError('MPESA_STK_PAYMENT_NOT_FOUND', 'no payment of ours has this CheckoutRequestID')
    }
    const { initiation, payment } = record
    if (payment.status !== 'PENDING') return payment.status
    // A payment that older code wrote is polled by nobody yet. For ours this is the poll that there is.
    if (isFirstLook && initiation.shortCode === '') {
      const { paymentId } = initiation
      const delayMs = pollDelayMs(0, settings.pollIntervalMs)
      await store.addWork([pollWork({ paymentId, shortCode: settings.shortCode }, delayMs)], clock.now())
    }
    await runPolls()
    await clock.sleep(watchEveryMs)
  }
}
