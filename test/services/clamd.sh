#!/usr/bin/env bash
# ClamAV's daemon from Debian's clamav-daemon, with signatures of our own, on TCP and a unix socket. Tests set before
# `start`: CLAMD_PORT, CLAMD_STREAM_MAX (StreamMaxLength). DIR/db holds the signatures; SIGUSR2 has it read them again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=${CLAMD_PORT:-$(free_port)}
ROOT=$(cd "$DIR" && pwd)
mkdir -p "$ROOT"/{db,tmp}
# In halves: whole, this file would itself be found. Found anywhere in a file, unlike by ClamAV's own signature.
EICAR='X5O!P%@AP[4\PZX54(P^)7CC)7}''$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
hex() { od -An -v -tx1 | tr -d ' \n'; }
[[ -e $ROOT/db/test.ndb ]] || {
  echo "Test.EICAR:0:*:$(printf '%s' "$EICAR" | hex)"
  echo "Test.Nothing:0:*:$(printf '%s' 'no file that is real holds this' | hex)"
} >"$ROOT/db/test.ndb"

cat >"$ROOT/clamd.conf" <<CONF
Foreground yes
DatabaseDirectory $ROOT/db
TemporaryDirectory $ROOT/tmp
TCPAddr 127.0.0.1
TCPSocket $PORT
LocalSocket $ROOT/clamd.sock
FixStaleSocket yes
StreamMaxLength ${CLAMD_STREAM_MAX:-25M}
AlertExceedsMax yes
SelfCheck 0
CONF
clamd --config-file="$ROOT/clamd.conf" </dev/null >>"$ROOT/log" 2>&1 &
echo $! >"$ROOT/pid"
pong() { [[ $(node -e 'require("node:net").connect(+process.argv[1], "127.0.0.1").on("error", () => {}).end("zPING\0").pipe(process.stdout)' "$PORT" | tr -d '\0') == PONG ]]; }
wait_until clamd 30 pong || { tail -20 "$ROOT/log" >&2; exit 1; }

echo "export TEST_CLAMD_URL=tcp://127.0.0.1:$PORT"
echo "export TEST_CLAMD_SOCKET=unix://$ROOT/clamd.sock"
