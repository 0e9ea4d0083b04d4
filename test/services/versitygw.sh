#!/usr/bin/env bash
# versitygw 1.8, an S3 server in Go over a folder, built once a machine: the second opinion besides Ceph.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BIN=$CACHE/versitygw-1.8.0
build() {
  export GOBIN=$BIN GOFLAGS="-trimpath -modcacherw" GOMODCACHE=$BIN/modules GOCACHE=$BIN/objects
  go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 && rm -rf -- "$BIN/modules" "$BIN/objects"
}
once versitygw-1.8.0 build || { echo "versitygw could not be built: it needs Go 1.25 or newer" >&2; exit 1; }
[[ $ACTION == start ]] || exit 0

PORT=$(free_port)
ROOT=$(cd "$DIR" && pwd)
ACCESS_KEY=localextest SECRET_KEY=localexTestSecretKey000001
mkdir -p "$ROOT"/{objects,versions,iam}
ROOT_ACCESS_KEY=$ACCESS_KEY ROOT_SECRET_KEY=$SECRET_KEY setsid "$BIN/versitygw" --port "127.0.0.1:$PORT" \
  --region us-east-1 --virtual-domain s3.localhost --iam-dir "$ROOT/iam" \
  posix --versioning-dir "$ROOT/versions" "$ROOT/objects" </dev/null >"$ROOT/log" 2>&1 &
echo $! >"$ROOT/pid"
wait_until versitygw 30 answers "http://127.0.0.1:$PORT/" || { tail -20 "$ROOT/log" >&2; exit 1; }

echo "export TEST_S3_SECOND_ENDPOINT=http://127.0.0.1:$PORT"
echo "export TEST_S3_SECOND_ACCESS_KEY_ID=$ACCESS_KEY"
echo "export TEST_S3_SECOND_SECRET_ACCESS_KEY=$SECRET_KEY"
