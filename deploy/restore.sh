#!/bin/sh
# Brings what backup.sh copied to an empty database, or to a data folder without one. No relay may run on either.
#
#   RELAY_DATA_DIR=/var/lib/mpesa-stk-relay restore.sh /var/backups/mpesa-stk-relay/2026-11-24
set -eu
umask 077
data=${RELAY_DATA_DIR:?where is the data folder?}
from=${1:?which backup?}
mkdir -p "$data/spool"

if [ -n "${PGDATABASE:-}" ]; then
  # All or nothing; where there are tables already it fails, and changes nothing.
  pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$PGDATABASE" "$from/relay.dump"
  psql --quiet --command=ANALYZE
else
  for file in relay.db relay.db-wal relay.db-shm; do
    [ ! -e "$data/$file" ] || { echo "restore.sh: $data/$file is there; move it away first" >&2; exit 1; }
  done
  cp "$from/relay.db" "$data/relay.db.partial"
  sync
  mv "$data/relay.db.partial" "$data/relay.db"
fi
# Beside what waits in the folder, which came later: what the database has of either is absorbed.
for file in "$from/spool/"*; do
  [ ! -e "$file" ] || [ -e "$data/spool/${file##*/}" ] || cp -p "$file" "$data/spool/"
done
sync
