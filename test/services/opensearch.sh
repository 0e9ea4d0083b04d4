#!/usr/bin/env bash
# OpenSearch 3.8, one node from Maven Central's jars (71 MB): all queries and aggregations, no security plugin. Needs JDK 21
# or newer and Maven.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/opensearch
HOME_DIR=$CACHE/opensearch-3.8.0

new_java() {
  local candidate
  for candidate in "${OPENSEARCH_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    [[ -x $candidate/bin/javac ]] || continue
    (($("$candidate/bin/javac" --version | sed -E 's/^javac ([0-9]+).*/\1/') >= 21)) && {
      echo "$candidate"
      return
    }
  done
  echo "no JDK 21 or newer; name one in OPENSEARCH_JAVA_HOME" >&2
  return 1
}
JAVA=$(new_java) || exit 1

install() {
  rm -rf -- "$HOME_DIR"
  mkdir -p "$HOME_DIR/classes"
  mvn -q -B -f "$HERE/pom.xml" -Dmaven.repo.local="$HOME_DIR/repository" \
    dependency:copy-dependencies -DoutputDirectory="$HOME_DIR/lib" &&
    "$JAVA/bin/javac" -cp "$HOME_DIR/lib/*" -d "$HOME_DIR/classes" "$HERE/OsNode.java" &&
    rm -rf -- "$HOME_DIR/repository"
}
once opensearch-3.8.0 install || { echo "OpenSearch could not be installed: it needs Maven" >&2; exit 1; }
[[ $ACTION == start ]] || exit 0

PORT=$(free_port) TRANSPORT=$(free_port)
ROOT=$(cd "$DIR" && pwd)
# The serial collector and the first compiler only: a node for tests is small and short-lived.
setsid "$JAVA/bin/java" -Xms256m -Xmx"${OPENSEARCH_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel="${OPENSEARCH_JIT:-1}" -Xshare:auto \
  --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector \
  -cp "$HOME_DIR/classes:$HOME_DIR/lib/*" OsNode "$PORT" "$TRANSPORT" "$ROOT/data" </dev/null >"$ROOT/log" 2>&1 &
echo $! >"$ROOT/pid"
wait_until OpenSearch 90 curl -sf "http://127.0.0.1:$PORT/_cluster/health?wait_for_status=yellow&timeout=1s" ||
  { tail -20 "$ROOT/log" >&2; exit 1; }

echo "export TEST_OPENSEARCH_URL=http://127.0.0.1:$PORT"
