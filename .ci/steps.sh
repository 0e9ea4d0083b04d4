# Sourced by .ci/run: steps with time limits, alone or side by side, and those that failed.

# Seconds from the start of the shell in which all steps are over, installations included; what is left of 40 minutes is for
# ending the services and the summary.
: "${BUDGET:=2280}"
declare -A CHILDREN=() STARTED=() OUTPUTS=()
FAILED_STEPS=()

# step NAME SECONDS COMMAND…: runs it with a time limit, the smaller of its own and what is left for the whole run, and remembers
# its failure. In the background, so that a signal to this script is not kept waiting.
step() {
  echo "── $1"
  launch "$@" && end_of "$1"
}

# begin NAME SECONDS COMMAND…: the same, beside what follows. `await NAME` waits for its end, shows what it said and fails as it did;
# the seconds are those until then.
begin() {
  OUTPUTS[$1]=$(mktemp)
  launch "$@" >"${OUTPUTS[$1]}" 2>&1 || true
}

await() {
  echo "── $1"
  if [[ -z ${CHILDREN[$1]-} ]]; then
    show "$1"
    return 124
  fi
  end_of "$1"
}

launch() {
  local name=$1 limit=$2 left=$((BUDGET - SECONDS))
  shift 2
  if ((left <= 0)); then
    echo "── $name: not run, the time of the whole run is over"
    FAILED_STEPS+=("$name")
    return 124
  fi
  ((limit < left)) || limit=$left
  STARTED[$name]=$SECONDS
  timeout --kill-after=30 "$limit" "$@" &
  CHILDREN[$name]=$!
}

end_of() {
  local name=$1 code=0
  wait "${CHILDREN[$name]}" || code=$?
  unset "CHILDREN[$name]"
  show "$name"
  echo "── $name: exit code $code after $((SECONDS - STARTED[$name])) s"
  ((code == 0)) || FAILED_STEPS+=("$name")
  return "$code"
}

show() {
  [[ -n ${OUTPUTS[$1]-} ]] || return 0
  cat "${OUTPUTS[$1]}"
  rm -f -- "${OUTPUTS[$1]}"
}

end_children() {
  local child
  for child in "${CHILDREN[@]}"; do kill "$child" 2>/dev/null && wait "$child" 2>/dev/null; done
}
