/**
 * What the relay keeps: apps, events with their bytes, attempts, and bodies that are nobody's event. The key of an event is
 * unique, so that a copy of a callback finds the one that is there; the index of what is due holds nothing else.
 */
export const sql = /* sql */ `
CREATE TABLE relay_apps (
  app_id          TEXT PRIMARY KEY,
  source_id       TEXT NOT NULL UNIQUE,
  target_url      TEXT NOT NULL,
  sealed_secrets  BLOB NOT NULL,
  is_disabled     INTEGER NOT NULL,
  disabled_reason TEXT,
  schedule_ms     TEXT,
  c2b_fallback    TEXT NOT NULL CHECK (c2b_fallback IN ('accept','reject')),
  daily_quota     INTEGER,
  created_at      INTEGER NOT NULL,
  version         INTEGER NOT NULL,
  receives        TEXT NOT NULL DEFAULT 'callbacks' CHECK (receives IN ('callbacks','alerts')),
  public_streams  INTEGER NOT NULL DEFAULT 0,
  allowed_origins TEXT
) STRICT;
CREATE INDEX relay_apps_alerts ON relay_apps (app_id) WHERE receives = 'alerts';

CREATE TABLE relay_delivery_events (
  id                  TEXT PRIMARY KEY,
  app_id              TEXT NOT NULL,
  kind                TEXT NOT NULL,
  business_key        TEXT NOT NULL,
  result              TEXT NOT NULL,
  checkout_request_id TEXT,
  body                BLOB,
  callback_token      TEXT,
  contradicts         TEXT,
  copies              INTEGER NOT NULL,
  received_at         INTEGER NOT NULL,
  status              TEXT NOT NULL CHECK (status IN ('PENDING','DELIVERED','FAILED','DEAD')),
  attempt_count       INTEGER NOT NULL,
  failures            INTEGER NOT NULL,
  due_at              INTEGER NOT NULL,
  lease_id            TEXT,
  lease_until         INTEGER,
  delivered_at        INTEGER,
  last_error          TEXT,
  trace_parent        TEXT,
  log_position        INTEGER NOT NULL,
  UNIQUE (app_id, kind, business_key, result),
  -- What is still to be delivered has its body, whoever empties or replays.
  CHECK (body IS NOT NULL OR status = 'DELIVERED'),
  -- What a merchant's server said is never delivered to it.
  CHECK (kind <> 'lifecycle' OR status = 'DELIVERED')
) STRICT;
CREATE INDEX relay_delivery_events_due ON relay_delivery_events (app_id, due_at) WHERE status IN ('PENDING', 'FAILED');
CREATE INDEX relay_delivery_events_app ON relay_delivery_events (app_id, id);
CREATE INDEX relay_delivery_events_dead ON relay_delivery_events (app_id, id) WHERE status = 'DEAD';

CREATE UNIQUE INDEX relay_delivery_events_log ON relay_delivery_events (app_id, log_position);
-- The first report that names a push tells whose its callbacks are. NOT NULL keeps PostgreSQL from reading all of it for the
-- reports of a payment, which it did until the table was analysed.
CREATE INDEX relay_delivery_events_link ON relay_delivery_events (app_id, checkout_request_id, log_position)
  WHERE kind = 'lifecycle' AND checkout_request_id IS NOT NULL;

-- One counter an app: positions are given in the order of commits, without gaps, and outlive the events.
CREATE TABLE relay_logs (
  app_id        TEXT PRIMARY KEY,
  epoch         TEXT NOT NULL,
  head          INTEGER NOT NULL,
  day           TEXT NOT NULL,
  events_of_day INTEGER NOT NULL,
  -- Nothing at or below it is streamed, since the log was cleared so many times.
  floor         INTEGER NOT NULL DEFAULT 0,
  clears        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Tokens that were taken back: one, or all of a subject.
CREATE TABLE relay_revocations (
  app_id     TEXT NOT NULL,
  token_id   TEXT,
  subject    TEXT,
  at         INTEGER NOT NULL,
  keep_until INTEGER NOT NULL
) STRICT;
CREATE INDEX relay_revocations_app ON relay_revocations (app_id, keep_until);

CREATE TABLE relay_delivery_attempts (
  event_id      TEXT NOT NULL,
  number        INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  duration_ms   INTEGER NOT NULL,
  http_status   INTEGER,
  error_class   TEXT,
  response_head TEXT NOT NULL
) STRICT;
CREATE INDEX relay_delivery_attempts_event ON relay_delivery_attempts (event_id, number);

CREATE TABLE relay_replays (
  id            TEXT PRIMARY KEY,
  app_id        TEXT NOT NULL,
  status        TEXT NOT NULL,
  kind          TEXT,
  received_from INTEGER,
  received_to   INTEGER,
  per_second    INTEGER NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('RUNNING','DONE','CANCELLED')),
  matched       INTEGER NOT NULL,
  replayed      INTEGER NOT NULL,
  after_id      TEXT NOT NULL,
  until_id      TEXT NOT NULL,
  next_at       INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  ended_at      INTEGER
) STRICT;
CREATE INDEX relay_replays_running ON relay_replays (next_at) WHERE state = 'RUNNING';
CREATE INDEX relay_replays_app ON relay_replays (app_id, id);

CREATE TABLE relay_settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE relay_quarantine (
  id             TEXT PRIMARY KEY,
  app_id         TEXT NOT NULL,
  budget         TEXT NOT NULL,
  reason         TEXT NOT NULL,
  detail         TEXT NOT NULL,
  length         INTEGER NOT NULL,
  callback_token TEXT,
  received_at    INTEGER NOT NULL,
  body           BLOB NOT NULL
) STRICT;
CREATE INDEX relay_quarantine_budget ON relay_quarantine (budget, received_at);
`
