#!/usr/bin/env bash
# Ceph's S3 server (RADOS Gateway 16.2, from Debian's ceph-mon, ceph-osd, radosgw and ceph-common): one monitor, one
# OSD, one gateway, with all objects in memory. A day of lifecycle rules lasts 10 seconds. What it does unlike Amazon S3
# stands in docs/storage/s3-servers.md.
STOP_SIGNAL=KILL
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[[ $ACTION == start ]] || exit 0

unset CEPH_ARGS CEPH_CONF CEPH_KEYRING
ROOT=$(cd "$DIR" && pwd)
PORT=$(free_port) MON_V2=$(free_port) MON_V1=$(free_port)
ACCESS_KEY=LOCALEXTESTACCESSKEY SECRET_KEY=localexTestSecretKeyOfTheFirstUser000001
OTHER_ACCESS_KEY=LOCALEXOTHERACCESSKY OTHER_SECRET_KEY=localexTestSecretKeyOfTheOtherUser000002
STORAGE_CLASSES=(STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER_IR GLACIER DEEP_ARCHIVE)
FSID=$(</proc/sys/kernel/random/uuid) OSD=$(</proc/sys/kernel/random/uuid)
mkdir -p "$ROOT"/{mon,osd,rgw,run,crash,log}
cd "$ROOT"

# Without authentication inside: nothing of it listens beyond 127.0.0.1. The two keys of SSE-KMS are named testkey-1
# and testkey-2.
cat >ceph.conf <<CONF
[global]
fsid = $FSID
mon initial members = a
mon host = [v2:127.0.0.1:$MON_V2/0,v1:127.0.0.1:$MON_V1/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms cluster mode = crc
ms service mode = crc
ms client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
ms mon client mode = crc
keyring = $ROOT/keyring
run dir = $ROOT/run
pid file =
admin socket =
crash dir = $ROOT/crash
log file = $ROOT/log/\$name.log
mon max pg per osd = 10000
osd max pg per osd hard ratio = 100
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[mon]
mon data = $ROOT/mon
mon cluster log file = $ROOT/log/cluster.log
mon allow pool size one = true
mon data avail warn = 0
mon data avail crit = 0
mon osd crush smoke test = false
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $ROOT/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd crush initial weight = 1
osd op queue = wpq
osd op num shards = 2
osd op num threads per shard = 1
[client]
rgw data = $ROOT/rgw
rgw frontends = beast endpoint=127.0.0.1:$PORT
rgw thread pool size = 128
rgw lc debug interval = 10
rgw gc obj min wait = 10
rgw gc processor period = 10
rgw gc processor max time = 10
rgw dynamic resharding = false
rgw relaxed region enforcement = true
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=bG9jYWxleC10ZXN0LXdyYXBwaW5nLWtleS1uby0xISE= testkey-2=bG9jYWxleC10ZXN0LXdyYXBwaW5nLWtleS1uby0yISE=
CONF
: >keyring

serve() { # ROLE COMMAND…
  local role=$1
  shift
  setsid "$@" </dev/null >>"log/$role.out" 2>&1 &
  echo $! >>pid
}
quietly() { "$@" >>log/setup.log 2>&1; }
ask() { timeout -k 2 20 ceph -c ceph.conf --connect-timeout 15 "$@"; }
admin() { timeout -k 2 60 radosgw-admin -c ceph.conf -n client.admin "$@"; }
osd_is_up() { [[ $(ask osd stat 2>/dev/null) == *"1 up"*"1 in"* ]]; }
gateway_is_up() { [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/") == 200 ]]; }

boot() {
  quietly monmaptool --create --clobber --fsid "$FSID" --addv a "[v2:127.0.0.1:$MON_V2/0,v1:127.0.0.1:$MON_V1/0]" monmap &&
    quietly ceph-mon -c ceph.conf --mkfs -i a --monmap monmap || return 1
  serve mon ceph-mon -c ceph.conf -i a -f
  wait_until "the monitor of Ceph" 60 ask mon stat || return 1
  quietly ask osd new "$OSD" 0 && quietly ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$OSD" || return 1
  serve osd ceph-osd -c ceph.conf -i 0 -f
  wait_until "the OSD of Ceph" 60 osd_is_up || return 1
  # The first command makes the default zone and its pools.
  quietly admin user create --uid=test --display-name=test --access-key="$ACCESS_KEY" --secret-key="$SECRET_KEY" &&
    quietly admin user create --uid=other --display-name=other --access-key="$OTHER_ACCESS_KEY" --secret-key="$OTHER_SECRET_KEY" || return 1
  for class in "${STORAGE_CLASSES[@]}"; do
    quietly admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement --storage-class "$class" &&
      quietly admin zone placement add --rgw-zone default --placement-id default-placement --storage-class "$class" \
        --data-pool "default.rgw.${class,,}.data" || return 1
  done
  serve radosgw radosgw -c ceph.conf -n client.rgw -f
  wait_until "the gateway of Ceph" 90 gateway_is_up
}

boot || { tail -n 15 log/*.out log/setup.log log/client.rgw.log >&2; exit 1; }

cat <<EXPORTS
export TEST_S3_ENDPOINT=http://127.0.0.1:$PORT
export TEST_S3_REGION=us-east-1
export TEST_S3_ACCESS_KEY_ID=$ACCESS_KEY
export TEST_S3_SECRET_ACCESS_KEY=$SECRET_KEY
export TEST_S3_OTHER_ACCESS_KEY_ID=$OTHER_ACCESS_KEY
export TEST_S3_OTHER_SECRET_ACCESS_KEY=$OTHER_SECRET_KEY
EXPORTS
