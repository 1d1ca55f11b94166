import type { PaymentStatus, SettledStatus } from '../payment/payment.ts'

/**
 * What evidence does to a payment:
 * - `settle`: the first answer; it stands.
 * - `correct`: waiting had ended; the real answer replaces `TIMEOUT` and is announced as a correction.
 * - `repeat`: it agrees with what stands (and may bring a receipt that was missing).
 * - `contradict`: it says something else than what stands; kept and reported, never applied.
 */
export type SettlementEffect = 'settle' | 'correct' | 'repeat' | 'contradict'

/** Row: the status that stands. Column: the status that the evidence claims. Printed in ARCHITECTURE.md. */
export const settlementTable: Readonly<Record<PaymentStatus, Readonly<Record<SettledStatus, SettlementEffect>>>> = {
  PENDING: { SUCCESS: 'settle', FAILED: 'settle', CANCELLED: 'settle', TIMEOUT: 'settle', EXPIRED: 'settle' },
  TIMEOUT: { SUCCESS: 'correct', FAILED: 'correct', CANCELLED: 'correct', TIMEOUT: 'repeat', EXPIRED: 'correct' },
  SUCCESS: {
    SUCCESS: 'repeat',
    FAILED: 'contradict',
    CANCELLED: 'contradict',
    TIMEOUT: 'contradict',
    EXPIRED: 'contradict',
  },
  FAILED: {
    SUCCESS: 'contradict',
    FAILED: 'repeat',
    CANCELLED: 'contradict',
    TIMEOUT: 'contradict',
    EXPIRED: 'contradict',
  },
  CANCELLED: {
    SUCCESS: 'contradict',
    FAILED: 'contradict',
    CANCELLED: 'repeat',
    TIMEOUT: 'contradict',
    EXPIRED: 'contradict',
  },
  EXPIRED: {
    SUCCESS: 'contradict',
    FAILED: 'contradict',
    CANCELLED: 'contradict',
    TIMEOUT: 'contradict',
    EXPIRED: 'repeat',
  },
}
