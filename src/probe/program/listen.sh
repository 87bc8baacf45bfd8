#!/bin/sh
# What probes of a calibration dial: accepts TCP connections and sends UDP datagrams back, on the pod's own address, until the
# pod ends. With the argument "check" it tells whether it listens, from within the pod.
#
#   POSTERN_ADDRESS  the pod's address
#   POSTERN_PORT     the port, for both protocols
set -u

if [ "${1-}" = check ]; then
  exec nc -n -z -w 1 "$POSTERN_ADDRESS" "$POSTERN_PORT"
fi

# A datagram's answer ends its process: a connected UDP socket knows no end of file.
udpsvd -E "$POSTERN_ADDRESS" "$POSTERN_PORT" timeout 2 cat &
exec tcpsvd -E "$POSTERN_ADDRESS" "$POSTERN_PORT" timeout 2 cat
