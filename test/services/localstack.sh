#!/usr/bin/env bash
# LocalStack 4.14, the last release that is free and runs without containers: KMS, SQS, S3's bucket settings and Glacier
# restores. It checks no signatures, so it proves nothing about access. Needs Python 3.13 or newer.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VENV=$CACHE/localstack-4.14.0
# Later releases of what it depends on break it.
AS_OF=2026-03-05

new_python() {
  local candidate
  for candidate in "${PYTHON313:-}" python3.14 python3.13 python3 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python; do
    [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null && {
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    }
  done
  echo "no Python 3.13 or newer; name one in PYTHON313" >&2
  return 1
}
install() {
  local python
  python=$(new_python) || return 1
  rm -rf -- "$VENV" "$VENV-uv"
  export UV_CACHE_DIR=$VENV-uv/cache
  "$python" -m venv "$VENV-uv" && "$VENV-uv/bin/pip" install -q uv &&
    "$VENV-uv/bin/uv" venv -q -p "$python" "$VENV" &&
    "$VENV-uv/bin/uv" pip install -q -p "$VENV/bin/python" --exclude-newer "$AS_OF" \
      'localstack-core[base-runtime,runtime]==4.14.0' 'localstack==4.14.0' service_identity &&
    rm -rf -- "$VENV-uv"
}
once localstack-4.14.0 install || { echo "LocalStack could not be installed" >&2; exit 1; }
[[ $ACTION == start ]] || exit 0

PORT=$(free_port)
ROOT=$(cd "$DIR" && pwd)
mkdir -p "$ROOT/cache"
cd "$ROOT"
# hypercorn: the server it takes by default listens on every address.
export GATEWAY_SERVER=hypercorn GATEWAY_LISTEN=127.0.0.1:$PORT DNS_ADDRESS=0 LOCALSTACK_VOLUME_DIR=$ROOT/volume \
  XDG_CACHE_HOME=$ROOT/cache SKIP_SSL_CERT_DOWNLOAD=1 DISABLE_EVENTS=1 S3_SKIP_SIGNATURE_VALIDATION=0 S3_SKIP_KMS_KEY_VALIDATION=0 TMPDIR=$ROOT/cache
setsid "$VENV/bin/python" -m localstack.runtime.main </dev/null >log 2>&1 &
echo $! >pid
wait_until LocalStack 60 answers "http://127.0.0.1:$PORT/_localstack/health" || { tail -20 log >&2; exit 1; }

echo "export TEST_AWS_ENDPOINT=http://127.0.0.1:$PORT"
