#!/bin/sh
# What probes of a calibration dial: accepts TCP connections and sends UDP datagrams back, on the pod's own address, until the
# pod ends. With the argument "check" it tells whether it listens on both, from within the pod.
#
#   POSTERN_ADDRESS  the pod's address
#   POSTERN_PORT     the port, for both protocols
set -u

if [ "${1-}" = check ]; then
  nc -n -z -w 1 "$POSTERN_ADDRESS" "$POSTERN_PORT" &&
    [ "$(echo ready | nc -n -u -w 1 "$POSTERN_ADDRESS" "$POSTERN_PORT")" = ready ]
  exit
fi

case $POSTERN_ADDRESS in
*:*) version=6 address="[$POSTERN_ADDRESS]" ;;
*) version=4 address=$POSTERN_ADDRESS ;;
esac
# One process per connection and per datagram, so that no dialler waits for another one, and none lives for long.
socat -T 2 "UDP$version-RECVFROM:$POSTERN_PORT,bind=$address,fork" EXEC:cat &
exec socat -T 2 "TCP$version-LISTEN:$POSTERN_PORT,bind=$address,fork,reuseaddr,backlog=64" EXEC:cat
