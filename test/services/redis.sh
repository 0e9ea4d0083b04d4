#!/usr/bin/env bash
# Redis from Debian's redis-server, in memory only, with the eviction policy that a job queue needs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=$(free_port)
cd "$DIR"
redis-server --port "$PORT" --bind 127.0.0.1 --save '' --appendonly no --maxmemory-policy noeviction >log 2>&1 &
echo $! >pid
wait_until Redis 15 redis-cli -h 127.0.0.1 -p "$PORT" ping || { tail -20 log >&2; exit 1; }

echo "export TEST_REDIS_URL=redis://127.0.0.1:$PORT"
