/** For a tired person at 2 a.m. */
export const relayHelp = `mpesa-stk-relay: takes Safaricom's callbacks, keeps them, and delivers them to you until you have them.

Usage:

  npx mpesa-stk-relay                      embedded store in .data/relay, on http://127.0.0.1:3000
  DATABASE_URL=postgres://… npx mpesa-stk-relay

It is told by its environment:

  PORT                         where it listens                                    3000
  HOST                         0.0.0.0 to be reached from other machines           127.0.0.1
  DATABASE_URL                 PostgreSQL; without it, one SQLite file
  RELAY_DATA_DIR               the SQLite file, the spool and a key that was made  .data/relay
  RELAY_ADMIN_TOKEN            who sends it may make apps; without it, only this machine
  RELAY_ENCRYPTION_KEY         encrypts the apps' secrets; without it, one is made in RELAY_DATA_DIR
  RELAY_ALLOW_PRIVATE_TARGETS  1: also deliver to private addresses and http, for development
  RELAY_KEEP_DELIVERED_DAYS    how long events that were delivered are kept          365
  RELAY_KEEP_BODIES_DAYS       what Safaricom sent of them; no replay without it    90
  RELAY_KEEP_ATTEMPTS_DAYS     attempts at them                                    90
  RELAY_KEEP_QUARANTINE_DAYS   bodies that are nobody's event                      30
                               each: whole days, or forever; what was not delivered is kept for ever
  RELAY_SOURCE_ALLOW_LIST      off, observe; enforce: quarantine what is not Safaricom's  observe
  RELAY_SOURCE_ADDRESSES       callbacks may come from there too: 192.0.2.1,2001:db8::/32
  RELAY_TRUSTED_PROXIES        whose X-Forwarded-For is believed: 10.0.0.0/8
  RELAY_STREAM_HOURS           how long live events can be replayed, 1 to 168      24
  LOG_LEVEL                    trace, debug, info, warn, error, silent             info

First steps, on this machine:

  curl -X POST http://127.0.0.1:3000/apps -H 'Content-Type: application/json' \\
    -d '{ "targetUrl": "https://yourapp.com/mpesa/callback" }'

and give Safaricom the hookUrl that it answers, behind your domain. /openapi.json lists every route.
`
