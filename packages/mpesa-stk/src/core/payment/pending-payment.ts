import type { Initiation } from '../initiate/initiation.ts'
import type { Payment } from './payment.ts'

/** The payment row of an accepted push: waiting for the customer. */
export function pendingPayment(initiation: Initiation, checkoutRequestId: string, merchantRequestId: string): Payment {
  return {
    id: initiation.paymentId,
    checkoutRequestId,
    merchantRequestId,
    phoneNumber: initiation.phoneNumber,
    amount: initiation.amount,
    accountReference: initiation.accountReference,
    status: 'PENDING',
    mpesaReceiptNumber: null,
    failureReason: null,
    resultCode: null,
    resultCodeText: null,
    initiatedAt: initiation.reservedAt,
    completedAt: null,
    idempotencyKey: initiation.idempotencyKey,
    version: 1,
  }
}
