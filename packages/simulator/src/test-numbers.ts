import type { ScenarioInput } from './scenario.ts'

/** A number that always behaves the same, so that nobody needs a control call for a first try. */
export interface TestNumber {
  readonly msisdn: string
  /** One sentence for a person. */
  readonly about: string
  /** What happens on every push to it; a scenario in the queue comes first. */
  readonly scenario: Omit<ScenarioInput, 'api' | 'msisdn' | 'amount' | 'times'>
}

/** 2547 0000 then the result code (or the HTTP status, or 9xxx for a fault of delivery) as the last four digits. */
export const testNumbers: readonly TestNumber[] = [
  { msisdn: '254708374149', about: "Paid. Safaricom's public sandbox number", scenario: { outcome: 'paid' } },
  { msisdn: '254700000000', about: 'Paid', scenario: { outcome: 'paid' } },
  { msisdn: '254700000001', about: 'Too little money (1)', scenario: { outcome: 'insufficient-funds' } },
  { msisdn: '254700000017', about: 'Two-minute rule (17)', scenario: { outcome: 'limit-rule' } },
  { msisdn: '254700001001', about: 'Busy with another payment (1001)', scenario: { outcome: 'busy' } },
  { msisdn: '254700001019', about: 'Expired before it was processed (1019)', scenario: { outcome: 'expired' } },
  { msisdn: '254700001025', about: 'The prompt could not be sent (1025)', scenario: { outcome: 'system-error' } },
  { msisdn: '254700001032', about: 'Cancelled by the customer (1032)', scenario: { outcome: 'cancelled' } },
  { msisdn: '254700001037', about: 'Phone off or no answer (1037)', scenario: { outcome: 'unreachable' } },
  { msisdn: '254700002001', about: 'Wrong PIN (2001)', scenario: { outcome: 'wrong-pin' } },
  { msisdn: '254700002028', about: 'Till and type do not fit (2028)', scenario: { outcome: 'wrong-till' } },
  {
    msisdn: '254700000003',
    about: 'Wrong till, alphanumeric code (SFC_IC0003)',
    scenario: { outcome: 'wrong-till', resultCode: 'SFC_IC0003' },
  },
  { msisdn: '254700003008', about: 'Alphanumeric code (E3008)', scenario: { resultCode: 'E3008' } },
  { msisdn: '254700008006', about: 'PIN locked (8006)', scenario: { resultCode: '8006' } },
  { msisdn: '254700004999', about: 'Never answered: no callback, no end', scenario: { outcome: 'pending' } },
  { msisdn: '254700000403', about: 'Push refused by the firewall (403 page)', scenario: { ackError: 'incapsula-403' } },
  { msisdn: '254700000429', about: 'Push refused by spike arrest (429)', scenario: { ackError: '429' } },
  {
    msisdn: '254700000500',
    about: 'Push answered 500 and nothing queued',
    scenario: { ackError: '500.001.1001-internal' },
  },
  {
    msisdn: '254700000502',
    about: 'Push answered 500 although it was queued; paid',
    scenario: { outcome: 'paid', ackError: '500.001.1001-internal', ackErrorAfterAccept: true },
  },
  {
    msisdn: '254700000504',
    about: 'Answer to the push lost in mid-air; paid',
    scenario: { outcome: 'paid', ackLost: true },
  },
  {
    msisdn: '254700009000',
    about: 'Paid, but the callback never comes',
    scenario: { outcome: 'paid', callbackLost: true },
  },
  {
    msisdn: '254700009001',
    about: 'Paid, callback before the answer to the push',
    scenario: { outcome: 'paid', callbackBeforeAck: true },
  },
  { msisdn: '254700009003', about: 'Paid, callback three times', scenario: { outcome: 'paid', callbackCopies: 3 } },
  {
    msisdn: '254700009005',
    about: 'Paid, phone number masked in the callback',
    scenario: { outcome: 'paid', phoneAs: 'masked' },
  },
]
