#!/bin/bash
# One question and one answer over a new socket: exchange.sh PROTOCOL ADDRESS PORT HEX SECONDS
#   PROTOCOL  udp or tcp
#   HEX       the bytes to send, in hexadecimal
#   SECONDS   how long to wait for the answer
# Prints a plus sign once a connection stands, then the first 512 bytes of the answer in hexadecimal, and ends with 0 if one came,
# were it empty. Otherwise it ends with 3 if
# none came in time although a connection stood, as `timeout` does if none came at all, or with 1 and what the kernel said about
# the socket on standard error.
# Bash, because nc keeps what a datagram socket is told (an ICMP rejection) to itself.
set -u
LC_ALL=C

exec 3<>"/dev/$1/$2/$3" || exit 1
# Who waits for this program may lose patience from here on: that must not look as if nobody had answered.
[ "$1" = udp ] || printf '+'

# In one piece: two writes would be two datagrams.
send() {
  printf '%b' "$(printf '%s' "$1" | sed 's/../\\x&/g')" | dd obs=65535 status=none >&3
}

send "$4" || exit 1
if [ "$1" = udp ]; then
  # A datagram may get lost on its way, which must not look like a denial.
  { sleep 0.5 && send "$4"; } >/dev/null 2>&1 &
  timeout "$5" dd bs=4096 count=1 status=none <&3 | od -An -v -tx1 -N512 | tr -d ' \n'
  status=${PIPESTATUS[0]}
  kill "$!" 2>/dev/null
  exit "$status"
fi
# An answer over TCP may come in pieces; the DNS says its length first (RFC 1035, 4.2.2).
exec 4>&1
length=$(timeout "$5" dd bs=1 count=2 status=none <&3 | od -An -v -tx1 | tr -d ' \n'; exit "${PIPESTATUS[0]}")
case $?:$length in
0:????) ;;
0:*) exit 1 ;;
1:*) exit 1 ;;
*) exit 3 ;;
esac
printf '%s' "$length" >&4
wanted=$((0x$length))
[ "$wanted" -le 512 ] || wanted=512
timeout "$5" dd bs=1 count="$wanted" status=none <&3 | od -An -v -tx1 | tr -d ' \n'
exit "${PIPESTATUS[0]}"
