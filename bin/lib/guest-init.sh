#!/bin/busybox sh
# The only program of the guest that bin/guest-test starts: moves each victim of /victims/list, tells how it went, switches off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
ifconfig lo 127.0.0.1 up
. /victims/places
export JAVA_HOME="$java"
# The optimising compiler costs more than it brings in a machine that is emulated.
export PAGELIFT_JAVA_OPTIONS=-XX:TieredStopAtLevel=1
echo "guest: kernel $(uname -r)"
"$home/bin/dumper" check
failed=0

# run COMMAND...: tells what failed.
run() {
  "$@" < /dev/null || { code=$?; echo "guest: failed with $code: $*"; return "$code"; }
}

# move NAME OPTIONS...
move() {
  victim=$1
  shift
  work=/tmp/$victim
  mkdir -p "$work"
  setsid "/victims/$victim" "$work" "$@" < /dev/null > "$work/out" 2>&1 &
  while [ ! -s "$work/pid" ]; do sleep 0.2; done
  pid=$(cat "$work/pid")
  # The first connection finds a server that has to load its classes, which may take longer here than a dumper waits for a greeting.
  for _ in 1 2 3; do
    code=0
    run "$home/bin/dumper" pre-dump -t "$pid" --to "$server" --name "$victim" --rounds 3 --track=soft-dirty || code=$?
    [ "$code" = 4 ] || break
  done
  [ "$code" = 0 ] &&
    run "$home/bin/dumper" dump -t "$pid" --to "$server" --name "$victim" --track=soft-dirty || return 1
  wait "$!" 2> /dev/null
  run "$home/bin/restorer" restore --from "$server" --name "$victim" --detached || return 1
  sleep 3
  touch "$work/stop"
  for _ in $(seq 600); do
    [ ! -s "$work/result" ] || break
    sleep 0.5
  done
  cat "$work/result"
  [ "$(cat "$work/result")" = PASS ]
}

"$home/bin/page-server" --port 7070 --store /tmp/store < /dev/null > /tmp/server 2>&1 &
server=127.0.0.1:7070
for _ in $(seq 600); do
  ! grep -q listening /tmp/server || break
  sleep 0.5
done
while read -r line; do
  echo "guest: $line"
  # shellcheck disable=SC2086
  if move $line; then
    echo "guest: passed $line"
  else
    failed=1
    echo "guest: FAILED $line"
  fi
done < /victims/list
[ "$failed" != 0 ] || echo "guest: all passed"
sync
poweroff -f
