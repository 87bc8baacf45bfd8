#!/bin/bash
# One question and one answer over a new socket: exchange.sh PROTOCOL ADDRESS PORT HEX SECONDS
#   PROTOCOL  udp or tcp
#   HEX       the bytes to send, in hexadecimal
#   SECONDS   how long to wait for the answer
# Prints the first 14 bytes of the answer in hexadecimal and ends with 0 if one came, were it empty. Otherwise it ends as `timeout`
# does if none came in time, or with 1 and what the kernel said about the socket on standard error.
# Bash, because nc keeps what a datagram socket is told (an ICMP rejection) to itself.
set -u
LC_ALL=C

exec 3<>"/dev/$1/$2/$3" || exit 1

# In one piece: two writes would be two datagrams.
send() {
  printf '%b' "$(printf '%s' "$1" | sed 's/../\\x&/g')" | dd obs=65535 status=none >&3
}

send "$4" || exit 1
case $1 in
udp)
  # A datagram may get lost on its way, which must not look like a denial.
  { sleep 0.5 && send "$4"; } >/dev/null 2>&1 &
  set -- "$5" bs=4096 count=1
  ;;
*)
  # An answer over TCP may come in pieces, its length first.
  set -- "$5" bs=1 count=14
  ;;
esac
timeout "$1" dd "$2" "$3" status=none <&3 | od -An -v -tx1 -N14 | tr -d ' \n'
exit "${PIPESTATUS[0]}"
