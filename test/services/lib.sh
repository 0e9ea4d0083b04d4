# Sourced by the scripts beside it. Each starts one real server for tests on a free port of 127.0.0.1:
#   NAME.sh start DIR   prints the `export` lines that tell tests where it is; DIR holds all it keeps
#   NAME.sh stop DIR    ends it by its pids and removes DIR
#   NAME.sh install     only brings the program, for those that no Debian package has
set -euo pipefail

ACTION=${1:-} DIR=${2:-}
if [[ ! $ACTION =~ ^(start|stop|install)$ || ($ACTION != install && -z $DIR) ]]; then
  echo "usage: $(basename "$0") start|stop DIR | install" >&2
  exit 2
fi

# Programs that no Debian package has: built once a machine, kept between runs.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/localex-storage-tests

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

# answers URL: whether anything speaks HTTP there.
answers() { [[ $(curl -s -m 2 -o /dev/null -w '%{http_code}' "$1") != 000 ]]; }

# once NAME COMMAND…: runs the command unless it has succeeded on this machine; two that start at once take turns.
once() {
  local name=$1
  shift
  mkdir -p "$CACHE"
  (
    flock -w 900 9
    [[ -e $CACHE/$name.done ]] || { "$@" >&2 && touch "$CACHE/$name.done"; }
  ) 9>"$CACHE/$name.lock"
}

# Ends the processes of DIR/pid, the last one started first: asked, then killed. Servers that keep nothing but
# memory set STOP_SIGNAL=KILL before.
stop_by_pid() {
  local pid
  [[ -r $DIR/pid ]] || return 0
  for pid in $(tac "$DIR/pid"); do
    [[ $pid =~ ^[0-9]+$ ]] || continue
    kill "-${STOP_SIGNAL:-INT}" "$pid" 2>/dev/null || continue
    wait_until "the end of process $pid" 15 is_gone "$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  done
}

if [[ $ACTION == stop ]]; then
  stop_by_pid
  rm -rf -- "$DIR"
  exit 0
fi
if [[ $ACTION == start ]]; then mkdir -p "$DIR"; fi
