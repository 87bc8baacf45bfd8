#!/bin/sh
# What probes of a calibration dial: accepts TCP connections and sends UDP datagrams back, on the pod's own addresses, until the
# pod ends. With the argument "check" it tells whether it listens for both on the first, from within the pod.
#
#   POSTERN_ADDRESSES  the pod's addresses, one per family, separated by commas
#   POSTERN_PORT       the port, for both protocols
set -uf

check() {
  nc -n -z -w 1 "$1" "$POSTERN_PORT" &&
    [ "$(echo ready | nc -n -u -w 1 "$1" "$POSTERN_PORT")" = ready ]
}

# One process per connection and per datagram, so that no dialler waits for another one, and none lives for long.
listen() {
  case $1 in
  *:*) version=6 address="[$1]" ;;
  *) version=4 address=$1 ;;
  esac
  socat -T 2 "UDP$version-RECVFROM:$POSTERN_PORT,bind=$address,fork" EXEC:cat &
  exec socat -T 2 "TCP$version-LISTEN:$POSTERN_PORT,bind=$address,fork,reuseaddr,backlog=64" EXEC:cat
}

action=${1-listen}
IFS=,
# Split on purpose.
set -- $POSTERN_ADDRESSES
unset IFS
first=$1
shift
if [ "$action" = check ]; then
  # Whether it listens on the others is for those to see who dial them: one of two must not keep the other from being measured.
  check "$first"
  exit
fi
for address; do listen "$address" & done
listen "$first"
