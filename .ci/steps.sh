# Sourced by .ci/run: steps with time limits, and those that failed.

# Seconds from the start of the shell in which all steps are over, installations included; what is left of 40 minutes is for
# ending the services and the summary.
: "${BUDGET:=2280}"
CHILD=
FAILED_STEPS=()

# step NAME SECONDS COMMAND…: runs it with a time limit, the smaller of its own and what is left for the whole run, and remembers
# its failure. In the background, so that a signal to this script is not kept waiting.
step() {
  local name=$1 limit=$2 started=$SECONDS code=0 left=$((BUDGET - SECONDS))
  shift 2
  echo "── $name"
  if ((left <= 0)); then
    echo "── $name: not run, the time of the whole run is over"
    FAILED_STEPS+=("$name")
    return 124
  fi
  ((limit < left)) || limit=$left
  timeout --kill-after=30 "$limit" "$@" &
  CHILD=$!
  wait "$CHILD" || code=$?
  CHILD=
  echo "── $name: exit code $code after $((SECONDS - started)) s"
  ((code == 0)) || FAILED_STEPS+=("$name")
  return "$code"
}
