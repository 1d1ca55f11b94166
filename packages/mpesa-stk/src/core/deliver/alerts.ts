const minute = 60_000
const hour = 60 * minute

/**
 * - `critical`: money moves and somebody does not hear of it, or hears two things. Get up.
 * - `warning`: nothing is lost yet.
 * - `notice`: something that was told is over.
 */
type AlertSeverity = 'critical' | 'warning' | 'notice'

type AlertRow = {
  readonly severity: AlertSeverity
  /** At most one in so long about the same subject. */
  readonly everyMs: number
  /** What a case of it tells. */
  readonly details: readonly string[]
  /** What happened, and what it means for money. `{subject}` and the names of details stand for their values. */
  readonly what: string
  /** What to look at first, and the command. `$APP` is the id of an app, the rest is as operators have it in their environment. */
  readonly todo: string
}

const ask = 'curl -H "Authorization: Bearer $RELAY_ADMIN_TOKEN"'
const findApp = 'Find the app: `mpesa-stk apps list` has {subject} in its column “in logs”.'

/** Every alert. A new one is a row here, and a `raise` where it happens. */
export const alerts = {
  'endpoint.disabled': {
    severity: 'critical',
    everyMs: hour,
    details: ['reason'],
    what:
      'The endpoint of app {subject} answered {reason}, so the app was disabled. Customers pay and Safaricom’s callbacks are kept, but the merchant ' +
      'hears of no payment until somebody enables the app.',
    todo:
      `${findApp} Ask its merchant whether the address is gone for good. Where it has moved: ` +
      '`mpesa-stk apps update $APP --target https://…`. Then `mpesa-stk apps enable $APP`: what was kept is delivered by itself.',
  },
  'breaker.opened': {
    severity: 'warning',
    everyMs: hour,
    details: ['failures', 'lastError'],
    what:
      '{failures} attempts in a row to deliver to app {subject} failed, the last by {lastError}. Its endpoint is left alone for up to a minute at a time, ' +
      'and probed. Its payments are kept and nothing is lost, but until it answers its merchant does not know who has paid.',
    todo:
      `${findApp} Is its server up, and reachable from here? Tell its merchant. When it answers, what waits is delivered by itself. ` +
      'What has failed to the end by then is told as `delivery.dead`.',
  },
  'delivery.dead': {
    severity: 'critical',
    everyMs: hour / 4,
    details: ['eventId', 'kind', 'attempts', 'error'],
    what:
      'Event {eventId} ({kind}) of app {subject} was tried {attempts} times in vain, the last: {error}. It is kept and not tried again by itself: a customer may ' +
      'have paid, and the merchant does not know. There may be more than this one.',
    todo:
      `Why: \`${ask} "$RELAY_URL/v1/events/{eventId}"\`. ${findApp} Mend its endpoint first; then count what is dead and deliver it again: ` +
      `\`${ask} -H 'Content-Type: application/json' -d '{"status":"DEAD","perSecond":50,"dryRun":true}' "$RELAY_URL/v1/apps/$APP/replay"\`, ` +
      'and the same without `dryRun`.',
  },
  contradiction: {
    severity: 'critical',
    everyMs: hour / 12,
    details: ['eventId', 'kind', 'contradicts'],
    what:
      'Event {eventId} ({kind}) of app {subject} says something else about the same payment than {contradicts} before it. One of them may be forged. ' +
      'Both are kept and delivered: the merchant may hand over goods for money that did not come, or withhold them for money that did.',
    todo:
      `Read both: \`${ask} "$RELAY_URL/v1/events/{eventId}"\`, and the same with {contradicts}. Believe neither: look the payment up at Safaricom ` +
      '(the organisation portal, or `mpesa.reconcile`), and tell the merchant which is true. If one is forged, a stranger knows the hook: make the merchant ' +
      "a new app, use its hook for new pushes, and set `callbackToken: 'path'`.",
  },
  'pending.age': {
    severity: 'warning',
    everyMs: hour,
    details: ['minutes'],
    what:
      'App {subject} has callbacks that have waited for {minutes} minutes to be delivered. They are kept and tried again by the schedule, but customers have paid ' +
      'and the merchant does not know yet.',
    todo:
      `${findApp} See why: \`${ask} "$RELAY_URL/v1/apps/$APP/events?status=FAILED"\` shows the last error. Is its server up? ` +
      'Where nothing was tried at all (`status=PENDING`), look at this relay: `curl "$RELAY_URL/readyz"`, its log, its processor.',
  },
  'spool.active': {
    severity: 'critical',
    everyMs: hour / 6,
    details: ['seconds', 'files', 'bytes'],
    what:
      'The store has not taken callbacks from the relay on {subject} for {seconds} s: {bytes} bytes of them are on its local disk, in {files} files, acknowledged and safe there. No merchant hears of ' +
      'those payments until the store is back. Were this disk lost or full, so were they.',
    todo:
      'Is the database up, has its disk room, and does {subject} reach it? `curl "$RELAY_URL/readyz"` says what the relay sees. Mend that: the rest goes by itself. ' +
      'Do not delete the folder `spool`, and do not move the relay to a new disk without it. How full the disk is: `df -h` in the relay’s data folder.',
  },
  'spool.drained': {
    severity: 'notice',
    everyMs: hour / 6,
    details: ['seconds'],
    what: 'What had waited on the local disk of the relay on {subject} is in the store, after {seconds} s. It is being delivered.',
    todo: 'Nothing. Merchants hear of payments late: say so to whoever asks.',
  },
  'source.held': {
    severity: 'critical',
    everyMs: hour,
    details: ['source'],
    what:
      'A callback for app {subject} came from {source}, which is not on the list of Safaricom’s addresses, and the list is enforced: it is kept in the quarantine and not delivered. ' +
      'It is a forgery, or Safaricom has a new address: then a customer has paid and the merchant does not know.',
    todo:
      'Look at it: `mpesa-stk quarantine list`, and look the payment up at Safaricom. If it is true: add {source} to RELAY_SOURCE_ADDRESSES, restart the relay, and release what was held: ' +
      '`mpesa-stk quarantine release <id>`. If it is forged: a stranger knows the hook; make the merchant a new app.',
  },
  'quarantine.growing': {
    severity: 'warning',
    everyMs: hour,
    details: ['bodies', 'minutes'],
    what:
      'More than {bodies} bodies within {minutes} minutes were nobody’s event, and are in the quarantine. Either a stranger posts junk, which costs nothing yet, or ' +
      'Safaricom posts to a hook that there is not or in a new shape: then customers pay and no merchant hears of it.',
    todo:
      `Look at them: \`${ask} "$RELAY_URL/v1/quarantine?limit=20"\`. Reason \`unknown-app\`: compare the merchant’s CallbackURL with the app’s \`hookUrl\` ` +
      '(`mpesa-stk apps show $APP`). Reason `unrecognised`: `bodyBase64` holds what came; if it is Safaricom’s, report its shape. What is junk: block its sender in front of the relay.',
  },
  'quota.exceeded': {
    severity: 'warning',
    everyMs: 24 * hour,
    details: ['quota'],
    what:
      'App {subject} took more than the {quota} events of its daily quota. Everything is stored and delivered as ever, but its log and live events are not read on until ' +
      'Nairobi’s midnight: screens that follow it stand still.',
    todo:
      `${findApp} A good day of the shop: \`mpesa-stk apps update $APP --daily-quota <n>\`. A flood: \`${ask} "$RELAY_URL/v1/apps/$APP/events"\` shows the newest. ` +
      'Where they are forged, make the merchant a new app and give Safaricom its hook.',
  },
} as const satisfies Readonly<Record<string, AlertRow>>

export type AlertType = keyof typeof alerts

export const alertTypes = Object.keys(alerts) as readonly AlertType[]

/**
 * What is said of one case. Never an app's id, a secret, a phone number or a CheckoutRequestID, which ends with one: events are
 * named by their ids.
 */
export type AlertDetails = Readonly<Record<string, string | number>>

/**
 * Tells the operator.
 *
 * @param subject what it is about, and by what it is rate-limited: the `logMark` of an app, or the name of a machine
 */
export type RaiseAlert = <Type extends AlertType>(
  type: Type,
  subject: string,
  details: Readonly<Record<(typeof alerts)[Type]['details'][number], string | number>>,
) => void

/** When the alerts that are looked for are raised. */
export type AlertThresholds = {
  /** `pending.age`: how long an event may wait to be delivered. Default 600,000 ms. */
  readonly pendingAgeMs: number
  /** `spool.active`: for how long callbacks may go to the local disk. Default 5,000 ms. */
  readonly spoolActiveMs: number
  /** `quarantine.growing`: more bodies than this ... Default 50. */
  readonly quarantinedBodies: number
  /** ... within so long. Default 600,000 ms. */
  readonly quarantinedWithinMs: number
  /** How often the store is looked at for these. Default 30,000 ms. */
  readonly lookEveryMs: number
}

export const defaultThresholds: AlertThresholds = {
  pendingAgeMs: 10 * minute,
  spoolActiveMs: 5_000,
  quarantinedBodies: 50,
  quarantinedWithinMs: 10 * minute,
  lookEveryMs: 30_000,
}
