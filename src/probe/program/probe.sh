#!/bin/sh
# The probe program. It dials what its plan lists, all at once, and states what it saw in the container's termination message.
#
# Plan (POSTERN_PLAN), one check per line, fields separated by blanks, never evaluated as shell text:
#   ID MODE STAGE ADDRESS PORT HOST STATUS PATH
#   MODE    converge (an Allow: try until it connects or SETTLE seconds are over) or guard (a Deny: try, then confirm)
#   STAGE   tcp or http
#   ADDRESS an IP address, or "-" if HOST is to be resolved first
#   HOST    the host name, or the Host header of an HTTP request; "-" if none
#   STATUS  expected HTTP statuses separated by commas; "-" for any of 200 to 399
#
# Result, plain ASCII. The kubelet keeps the last 4096 bytes, so a torn message lacks its first line:
#   postern/1 NONCE COUNT
#   ID OUTCOME ATTEMPTS CENTISECONDS FIRST_OUTCOME DETAIL        (COUNT times, in any order)
#   end NONCE RESOLVER
#   OUTCOME  a letter (C connected, R refused, T timed out, U unreachable, X reset, N name not resolved, M wrong HTTP status,
#            F forbidden address, E the tool itself failed) and a stage (d DNS, c connect, h HTTP)
#   DETAIL   the HTTP status or the resolved address, or "-"
#   RESOLVER A if the pod's resolver answered (which shows that this pod's network works), N if not
set -u
LC_ALL=C
export LC_ALL

# Centiseconds since boot, read without starting a process.
now() {
  read -r uptime _ </proc/uptime
  # No leading zero may get into the number: the shell would read it as octal, and "08" as an error.
  echo "$((${uptime%.*} * 100 + 1${uptime#*.} - 100))"
}

# Addresses that stay inside the pod or the node: a name must not lead a probe there.
is_forbidden() {
  case ${1#::ffff:} in
  127.* | 0.* | 169.254.* | 22[4-9].* | 23[0-9].* | 255.255.255.255 | ::1 | :: | fe[89abAB]?:* | ff??:*) return 0 ;;
  esac
  return 1
}

# Opens one TCP connection from a new socket and closes it. Sets `outcome`.
dial() {
  message=$(nc -n -z -v -w "$TIMEOUT" "$1" "$2" 2>&1)
  case $?:$message in
  0:*succeeded*) outcome=Cc ;;
  *"Connection refused"*) outcome=Rc ;;
  *"timed out"*) outcome=Tc ;;
  *"No route to host"* | *"Network is unreachable"* | *"Host is unreachable"*) outcome=Uc ;;
  *"Permission denied"* | *"Operation not permitted"*) outcome=Uc ;;
  *"reset by peer"*) outcome=Xc ;;
  *) outcome=Ec ;;
  esac
}

# Asks for an HTTP answer and reads its status line. Sets `outcome` and `detail`.
request() {
  case $1 in *:*) authority="[$1]:$2" ;; *) authority="$1:$2" ;; esac
  # As clients of the name would: with the port, unless it is the default one.
  case $3:$2 in
  -:*) header=$authority ;;
  *:80) header=$3 ;;
  *) header=$3:$2 ;;
  esac
  status=$(curl -q --silent --globoff --path-as-is --noproxy '*' --proto '=http' --max-redirs 0 --max-filesize 1048576 \
    --max-time "$TIMEOUT" --output /dev/null --write-out '%{http_code}' --user-agent postern-probe \
    --header "Host: $header" "http://$authority$5")
  code=$?
  case $code:$status in
  28:000) outcome=Th ;;
  52:* | 56:000) outcome=Xh ;;
  7:*) outcome=Rc ;;
  [0-9]*:[1-5][0-9][0-9])
    detail=$status
    outcome=Mh
    if [ "$4" = - ]; then
      [ "$status" -ge 200 ] && [ "$status" -le 399 ] && outcome=Ch
    else
      case ",$4," in *",$status,"*) outcome=Ch ;; esac
    fi
    ;;
  *) outcome=Eh ;;
  esac
}

# Resolves a name as the application would, through glibc and the pod's own resolver settings. Sets `address`, or `outcome`.
resolve() {
  address=''
  found=$(RES_OPTIONS="timeout:$TIMEOUT attempts:1" timeout "$((TIMEOUT * 2))" getent ahosts "$1")
  for address in $found; do break; done
  if [ -z "$address" ]; then
    outcome=Nd
  elif is_forbidden "$address"; then
    outcome=Fd
    detail=$address
  fi
}

attempt() {
  outcome=''
  detail=-
  address=$1
  [ "$address" = - ] && resolve "$3"
  [ -n "$outcome" ] && return
  dial "$address" "$2"
  [ "$outcome" = Cc ] && [ "$STAGE" = http ] && request "$address" "$2" "$3" "$4" "$5"
  [ "$1" = - ] && [ "$detail" = - ] && detail=$address
  return 0
}

is_success() {
  [ "$outcome" = Cc ] && [ "$STAGE" = tcp ] || [ "$outcome" = Ch ]
}

check() {
  id=$1 mode=$2 STAGE=$3
  shift 3
  attempts=1
  began=$(now)
  attempt "$@"
  first=$outcome
  if [ "$mode" = guard ]; then
    # One connection is enough to fail a Deny; anything else is confirmed by a second try from a new socket.
    case $outcome in
    Cc | ?h) ;;
    *)
      attempts=2
      attempt "$@"
      # Two different answers are no steady denial: state the one that is not silence, and that it did not stand alone.
      if [ "$outcome" = Tc ] && [ "$first" != Tc ]; then
        outcome=$first first=Tc
      fi
      ;;
    esac
  else
    while :; do
      if is_success; then
        attempts=$((attempts + 1))
        attempt "$@"
        is_success && break
      fi
      [ $(($(now) - began)) -ge $((SETTLE * 100)) ] && break
      sleep 0.2
      attempts=$((attempts + 1))
      attempt "$@"
    done
  fi
  echo "$id $outcome $attempts $(($(now) - began)) $first $detail"
}

# Whatever the resolver says about the name, an answer shows that packets leave this pod and that replies come back.
ask_resolver() {
  case $(timeout "$((TIMEOUT * 2))" nslookup kubernetes.default.svc.cluster.local. 2>&1) in
  *NXDOMAIN* | *Name:* | *SERVFAIL* | *REFUSED* | *"No answer"*) echo "resolver A" ;;
  *) echo "resolver N" ;;
  esac
}

run() {
  ask_resolver &
  while read -r id mode stage address port host status path; do
    [ -n "$id" ] && check "$id" "$mode" "$stage" "$address" "$port" "$host" "$status" "$path" &
  done
  wait
}

TIMEOUT=$POSTERN_TIMEOUT_SECONDS
SETTLE=$POSTERN_SETTLE_SECONDS
# A fresh pod may be open, or closed, until its policies are in place.
sleep "${POSTERN_DELAY_SECONDS:-0}"
lines=$(printf '%s\n' "$POSTERN_PLAN" | run)
resolver=N
results=
count=0
set -f
IFS='
'
for line in $lines; do
  case $line in
  "resolver "*) resolver=${line#resolver } ;;
  *)
    results="$results$line
"
    count=$((count + 1))
    ;;
  esac
done
printf 'postern/1 %s %s\n%send %s %s\n' "$POSTERN_NONCE" "$count" "$results" "$POSTERN_NONCE" "$resolver" \
  >"${POSTERN_RESULT_FILE:-/dev/termination-log}"
