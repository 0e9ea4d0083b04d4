# Sourced by the scripts beside it. Each starts one real server for tests on a free port of 127.0.0.1:
#   NAME.sh start DIR   prints the `export` lines that tell tests where it is; DIR holds all it keeps
#   NAME.sh stop DIR    ends it by its pid and removes DIR
set -euo pipefail

ACTION=${1:-} DIR=${2:-}
if [[ ! $ACTION =~ ^(start|stop)$ || -z $DIR ]]; then
  echo "usage: $(basename "$0") start|stop DIR" >&2
  exit 2
fi

free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}

# wait_until WHAT SECONDS COMMAND…: tries the command until it succeeds.
wait_until() {
  local what=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > deadline)); then
      echo "$what does not answer" >&2
      return 1
    fi
    sleep 0.1
  done
}

is_gone() { ! kill -0 "$1"; }

# Ends the process of DIR/pid: asked first, then killed.
stop_by_pid() {
  local pid
  pid=$(head -n 1 "$DIR/pid" 2>/dev/null) || return 0
  kill -INT "$pid" 2>/dev/null || return 0
  wait_until "the end of process $pid" 15 is_gone "$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
}

if [[ $ACTION == stop ]]; then
  stop_by_pid
  rm -rf -- "$DIR"
  exit 0
fi
mkdir -p "$DIR"
