#!/bin/sh
# Copies what a relay keeps into a new folder, while it runs:
#
#   RELAY_DATA_DIR=/var/lib/mpesa-stk-relay backup.sh /var/backups/mpesa-stk-relay/2026-11-24
#
# On PostgreSQL with PGDATABASE, and PGHOST, PGUSER, PGPASSFILE as libpq has them; without it the SQLite file in the data folder.
# RELAY_ENCRYPTION_KEY, or encryption-key in the data folder, is not copied: keep it, once, where the backups are not.
set -eu
umask 077
data=${RELAY_DATA_DIR:?where is the data folder?}
to=${1:?which folder is to be made?}
# sqlite3 would make a file that is not there, and every backup would be whole and empty.
[ -n "${PGDATABASE:-}" ] || [ -f "$data/relay.db" ] || { echo "backup.sh: no $data/relay.db; on PostgreSQL set PGDATABASE" >&2; exit 1; }
# By another name until it is whole.
half="$to.partial"
[ ! -e "$to" ] || { echo "backup.sh: $to is there already" >&2; exit 1; }
rm -rf "$half"
mkdir -p "$half/spool"

# The spool first: what is brought from it to the database meanwhile is in both, and absorbed. After it, it would be in neither.
cp -Rp "$data/spool/." "$half/spool/"
if [ -n "${PGDATABASE:-}" ]; then
  pg_dump --format=custom --no-owner --no-privileges --file="$half/relay.dump"
else
  sqlite3 "$data/relay.db" "VACUUM INTO '$half/relay.db'"
fi
sync
mv "$half" "$to"
