#!/usr/bin/env bash
# PostgreSQL 15, the oldest version that is supported, from Debian's postgresql-15; without fsync.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BIN=${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
PORT=$(free_port)
ROOT=$(cd "$DIR" && pwd)
DATA=$ROOT/data LOG=$ROOT/log

# PostgreSQL refuses to run as root; the package's own user has to be able to enter the folder.
as_owner=()
install -d -m 755 "$ROOT"
if ((EUID == 0)); then
  as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
  install -d -m 700 -o postgres -g postgres "$DATA"
  install -m 644 -o postgres -g postgres /dev/null "$LOG"
fi

"${as_owner[@]}" "$BIN/initdb" --pgdata "$DATA" --username localex --auth trust --encoding UTF8 --no-sync \
  >"$ROOT/initdb.log" 2>&1 || { cat "$ROOT/initdb.log" >&2; exit 1; }
cd "$DATA"
"${as_owner[@]}" "$BIN/postgres" -D "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories= -c fsync=off -c full_page_writes=off -c max_connections=200 >>"$LOG" 2>&1 &
echo $! >"$ROOT/pid"
wait_until PostgreSQL 30 "$BIN/pg_isready" -h 127.0.0.1 -p "$PORT" -U localex || { tail -20 "$LOG" >&2; exit 1; }

echo "export TEST_DATABASE_URL=postgres://localex@127.0.0.1:$PORT/postgres"
