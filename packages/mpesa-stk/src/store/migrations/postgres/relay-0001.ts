/**
 * What the relay keeps: apps, events with their bytes, attempts, and bodies that are nobody's event. The key of an event is
 * unique, so that a copy of a callback finds the one that is there; the index of what is due holds nothing else.
 */
export const sql = /* sql */ `
CREATE TABLE relay_apps (
  app_id          TEXT PRIMARY KEY,
  source_id       TEXT NOT NULL UNIQUE,
  target_url      TEXT NOT NULL,
  sealed_secrets  BYTEA NOT NULL,
  is_disabled     INTEGER NOT NULL,
  disabled_reason TEXT,
  schedule_ms     TEXT,
  c2b_fallback    TEXT NOT NULL CHECK (c2b_fallback IN ('accept','reject')),
  daily_quota     INTEGER,
  created_at      TIMESTAMPTZ NOT NULL,
  version         INTEGER NOT NULL,
  receives        TEXT NOT NULL DEFAULT 'callbacks' CHECK (receives IN ('callbacks','alerts')),
  public_streams  INTEGER NOT NULL DEFAULT 0,
  allowed_origins TEXT
);
CREATE INDEX relay_apps_alerts ON relay_apps (app_id) WHERE receives = 'alerts';

CREATE TABLE relay_delivery_events (
  id                  TEXT PRIMARY KEY,
  app_id              TEXT NOT NULL,
  kind                TEXT NOT NULL,
  business_key        TEXT NOT NULL,
  result              TEXT NOT NULL,
  checkout_request_id TEXT,
  body                BYTEA,
  callback_token      TEXT,
  contradicts         TEXT,
  copies              INTEGER NOT NULL,
  received_at         TIMESTAMPTZ NOT NULL,
  status              TEXT NOT NULL CHECK (status IN ('PENDING','DELIVERED','FAILED','DEAD')),
  attempt_count       INTEGER NOT NULL,
  failures            INTEGER NOT NULL,
  due_at              TIMESTAMPTZ NOT NULL,
  lease_id            TEXT,
  lease_until         TIMESTAMPTZ,
  delivered_at        TIMESTAMPTZ,
  last_error          TEXT,
  trace_parent        TEXT,
  log_position        BIGINT NOT NULL,
  UNIQUE (app_id, kind, business_key, result),
  -- What is still to be delivered has its body, whoever empties or replays.
  CHECK (body IS NOT NULL OR status = 'DELIVERED'),
  -- What a merchant's server said is never delivered to it.
  CHECK (kind <> 'lifecycle' OR status = 'DELIVERED')
);
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
  head          BIGINT NOT NULL,
  day           TEXT NOT NULL,
  events_of_day BIGINT NOT NULL,
  -- Nothing at or below it is streamed, since the log was cleared so many times.
  floor         BIGINT NOT NULL DEFAULT 0,
  clears        INTEGER NOT NULL DEFAULT 0
);

-- Tokens that were taken back: one, or all of a subject.
CREATE TABLE relay_revocations (
  app_id     TEXT NOT NULL,
  token_id   TEXT,
  subject    TEXT,
  at         TIMESTAMPTZ NOT NULL,
  keep_until TIMESTAMPTZ NOT NULL
);
CREATE INDEX relay_revocations_app ON relay_revocations (app_id, keep_until);

CREATE TABLE relay_delivery_attempts (
  event_id      TEXT NOT NULL,
  number        INTEGER NOT NULL,
  at            TIMESTAMPTZ NOT NULL,
  duration_ms   INTEGER NOT NULL,
  http_status   INTEGER,
  error_class   TEXT,
  response_head TEXT NOT NULL
);
CREATE INDEX relay_delivery_attempts_event ON relay_delivery_attempts (event_id, number);

CREATE TABLE relay_replays (
  id            TEXT PRIMARY KEY,
  app_id        TEXT NOT NULL,
  status        TEXT NOT NULL,
  kind          TEXT,
  received_from TIMESTAMPTZ,
  received_to   TIMESTAMPTZ,
  per_second    INTEGER NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('RUNNING','DONE','CANCELLED')),
  matched       INTEGER NOT NULL,
  replayed      INTEGER NOT NULL,
  after_id      TEXT NOT NULL,
  until_id      TEXT NOT NULL,
  next_at       TIMESTAMPTZ NOT NULL,
  created_at    TIMESTAMPTZ NOT NULL,
  ended_at      TIMESTAMPTZ
);
CREATE INDEX relay_replays_running ON relay_replays (next_at) WHERE state = 'RUNNING';
CREATE INDEX relay_replays_app ON relay_replays (app_id, id);

CREATE TABLE relay_settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE relay_quarantine (
  id             TEXT PRIMARY KEY,
  app_id         TEXT NOT NULL,
  budget         TEXT NOT NULL,
  reason         TEXT NOT NULL,
  detail         TEXT NOT NULL,
  length         INTEGER NOT NULL,
  callback_token TEXT,
  received_at    TIMESTAMPTZ NOT NULL,
  body           BYTEA NOT NULL
);
CREATE INDEX relay_quarantine_budget ON relay_quarantine (budget, received_at);

-- Nairobi's day, by the database's time.
CREATE FUNCTION relay_today() RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC' + interval '3 hours', 'YYYY-MM-DD')
$$;

-- One call is one round trip, and its second statement sees what was committed while the first waited: of two relays that
-- record callbacks that differ about the same, the second knows the first. Planned anew at each call: a plan that was kept from
-- when the table was empty read all of it for each event, until the server's next analysis.
CREATE FUNCTION relay_record_events(
  ids TEXT[], app_ids TEXT[], kinds TEXT[], business_keys TEXT[], results TEXT[], checkout_request_ids TEXT[],
  bodies BYTEA[], callback_tokens TEXT[], all_copies INTEGER[], times TIMESTAMPTZ[], contradicted TEXT[], held BOOLEAN[],
  trace_parents TEXT[], lease TEXT, lease_ms FLOAT8
) RETURNS TABLE (event_id TEXT, contradicted_id TEXT) LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE today TEXT := relay_today();
BEGIN
  PERFORM pg_advisory_xact_lock(subject) FROM (
    SELECT DISTINCT hashtextextended(concat_ws(' ', n.app_id, n.kind, n.business_key), 0) AS subject
    FROM unnest(app_ids, kinds, business_keys) AS n (app_id, kind, business_key) ORDER BY subject) locks;
  RETURN QUERY
  -- Nobody else writes these keys until we commit: what is not there now is new, and takes the next positions of its app's log.
  WITH fresh AS MATERIALIZED (
    SELECT n.*, row_number() OVER (PARTITION BY n.app_id ORDER BY n.id) AS number, count(*) OVER (PARTITION BY n.app_id) AS total
    FROM unnest(ids, app_ids, kinds, business_keys, results, checkout_request_ids, bodies, callback_tokens, all_copies, times,
      contradicted, held, trace_parents) AS n (id, app_id, kind, business_key, result, checkout_request_id, body, callback_token,
      copies, received_at, contradicts, is_held, trace_parent)
    WHERE NOT EXISTS (SELECT 1 FROM relay_delivery_events o WHERE o.app_id = n.app_id AND o.kind = n.kind
      AND o.business_key = n.business_key AND o.result = n.result)),
  logs AS (
    INSERT INTO relay_logs AS l (app_id, epoch, head, day, events_of_day) SELECT f.app_id, lease, max(f.total), today, max(f.total) FROM fresh f
    GROUP BY f.app_id ORDER BY f.app_id
    ON CONFLICT (app_id) DO UPDATE SET head = l.head + excluded.head,
      -- Whoever waited for this row over midnight comes with yesterday.
      day = greatest(l.day, today),
      events_of_day = CASE WHEN l.day >= today THEN l.events_of_day ELSE 0 END + excluded.events_of_day
    RETURNING l.app_id, l.head)
  INSERT INTO relay_delivery_events AS e (id, app_id, kind, business_key, result, checkout_request_id, body, callback_token,
    copies, received_at, contradicts, status, attempt_count, failures, due_at, lease_id, lease_until, trace_parent,
    log_position)
  SELECT n.id, n.app_id, n.kind, n.business_key, n.result, n.checkout_request_id, n.body, n.callback_token, n.copies,
    -- At most fifty are read: whoever posts ever more of one key must not make each dearer than the one before. And not the first
    -- by id, for which the planner would go along the index of the app's ids.
    n.received_at, coalesce((SELECT min(same.id) FROM (SELECT o.id FROM relay_delivery_events o WHERE o.app_id = n.app_id
      AND o.kind = n.kind AND o.business_key = n.business_key AND o.result <> n.result LIMIT 50) same), n.contradicts),
    'PENDING', 0, 0, clock_timestamp(), CASE WHEN NOT n.is_held THEN lease END,
    CASE WHEN NOT n.is_held THEN clock_timestamp() + lease_ms * interval '1 millisecond' END, n.trace_parent,
    logs.head - n.total + n.number
  FROM fresh n JOIN logs ON logs.app_id = n.app_id
  -- Batches that were not sorted deadlocked in a trial of concurrent inserts, and sorted ones never did.
  ORDER BY n.app_id, n.kind, n.business_key, n.result
  ON CONFLICT (app_id, kind, business_key, result) DO NOTHING RETURNING e.id, e.contradicts;
END
$$;

-- The log's row is locked first: the second statement sees what was committed while the first waited, and whatever else takes
-- positions of this log waits for us. What is not there then is new, and they stand in the order in which they were given.
CREATE FUNCTION relay_report_payments(
  app TEXT, new_epoch TEXT, ids TEXT[], payment_ids TEXT[], results TEXT[], checkout_request_ids TEXT[], bodies BYTEA[],
  times TIMESTAMPTZ[]
) RETURNS INTEGER LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE added INTEGER;
BEGIN
  INSERT INTO relay_logs AS l (app_id, epoch, head, day, events_of_day) VALUES (app, new_epoch, 0, relay_today(), 0)
    ON CONFLICT (app_id) DO UPDATE SET head = l.head;
  WITH fresh AS MATERIALIZED (
    SELECT n.*, row_number() OVER (ORDER BY n.place) AS number FROM (
      SELECT DISTINCT ON (each.payment_id, each.result) each.* FROM unnest(ids, payment_ids, results, checkout_request_ids, bodies,
        times) WITH ORDINALITY AS each (id, payment_id, result, checkout_request_id, body, received_at, place)
      ORDER BY each.payment_id, each.result, each.place) n
    WHERE NOT EXISTS (SELECT 1 FROM relay_delivery_events o WHERE o.app_id = app AND o.kind = 'lifecycle'
      AND o.business_key = n.payment_id AND o.result = n.result))
  INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body, copies, received_at,
    status, attempt_count, failures, due_at, delivered_at, log_position)
  SELECT n.id, app, 'lifecycle', n.payment_id, n.result, n.checkout_request_id, n.body, 1, n.received_at, 'DELIVERED', 0, 0,
    clock_timestamp(), clock_timestamp(), l.head + n.number
  FROM fresh n, relay_logs l WHERE l.app_id = app;
  GET DIAGNOSTICS added = ROW_COUNT;
  IF added > 0 THEN
    UPDATE relay_logs SET head = head + added WHERE app_id = app;
  END IF;
  RETURN added;
END
$$;
`
