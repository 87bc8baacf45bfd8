#!/bin/sh
# The probe program. It dials what its plan lists, all at once, and states what it saw in the container's termination message.
#
# Plan (POSTERN_PLAN), one check per line, fields separated by blanks, never evaluated as shell text:
#   ID MODE STAGE ADDRESS PORT HOST STATUS DATA
#   MODE    converge (an Allow: try until it connects or SETTLE seconds are over), guard (a Deny: try, and confirm when SETTLE
#           seconds are over) or seal (calibration: try until it no longer connects or SETTLE seconds are over)
#   STAGE   tcp, http, https, udp, or a DNS query: dnsudp or dnstcp
#   ADDRESS an IP address, or "-" if HOST is to be resolved first, or the pod's own resolver is to be asked
#   HOST    the host name, or the name that an HTTP request or DNS query is about; "-" if none
#   STATUS  expected HTTP statuses separated by commas, "-" for any of 200 to 399; or the DNS record type as a number
#   DATA    the path of an HTTP request, or a datagram in hexadecimal; "-" if none
#
# Result, plain ASCII. The kubelet keeps the last 4096 bytes, so a torn message lacks its first line:
#   postern/1 NONCE COUNT
#   ID OUTCOME ATTEMPTS CENTISECONDS FIRST_OUTCOME DETAIL        (COUNT times, in any order)
#   end NONCE RESOLVER
#   CENTISECONDS from the first attempt's start to what decided: the first of two successes of a converging check, the start of
#            the first attempt of a sealing one that met a denial, else the end of the last attempt
#   OUTCOME  a letter (C connected, R refused, T timed out, U unreachable, X reset, N name not resolved, M wrong HTTP status,
#            F forbidden address, S TLS failed, D the name server failed, E the tool itself failed) and a stage (d DNS,
#            c connect, t TLS, h HTTP)
#   DETAIL   the HTTP status or the resolved address, or "-"
#   RESOLVER A if the pod's resolver answered (which shows that this pod's network works), N if not
set -uf
LC_ALL=C
export LC_ALL

# Centiseconds since boot, read without starting a process.
now() {
  read -r uptime _ </proc/uptime
  # No leading zero may get into the number: the shell would read it as octal, and "08" as an error.
  echo "$((${uptime%.*} * 100 + 1${uptime#*.} - 100))"
}

# Addresses that stay inside the pod or the node, or where clouds keep their instance metadata: a name must not lead there. They
# come in the notation of inet_ntop(3). The same list, with the sources of its ranges, is in ../address.ts.
is_forbidden() {
  # IPv6 addresses that stand for an IPv4 one: mapped and compatible ones end in it, those of NAT64 hold it in hexadecimal.
  case $1 in
  ::ffff:*.*) plain=${1#::ffff:} ;;
  ::*.*) plain=${1#::} ;;
  64:ff9b::*)
    plain=${1#64:ff9b::}
    case $plain in *:*) ;; *) plain=0:$plain ;; esac
    case $plain in
    *:*:*) return 1 ;;
    ?:* | ??:* | 7f??:* | a9fe:* | e???:* | ffff:ffff | 6464:64c8 | a83f:8110 | c000:c0) return 0 ;;
    esac
    return 1
    ;;
  *) plain=$1 ;;
  esac
  case $plain in
  100.100.100.200 | 168.63.129.16 | 192.0.0.192 | fd00:ec2::254 | fd20:ce::254) return 0 ;;
  127.* | 0.* | 169.254.* | 22[4-9].* | 23[0-9].* | 255.255.255.255 | :: | fe[89ab]?:* | ff??:*) return 0 ;;
  # Compatible with an IPv4 address that begins with two zeros.
  ::? | ::?? | ::??? | ::????) return 0 ;;
  esac
  return 1
}

# What the kernel said about a socket, in the words of the C library. Sets `outcome`.
classify() {
  case $1 in
  *"Connection refused"*) outcome=Rc ;;
  *"timed out"*) outcome=Tc ;;
  *"No route to host"* | *"Network is unreachable"* | *"Host is unreachable"*) outcome=Uc ;;
  *"Permission denied"* | *"Operation not permitted"*) outcome=Uc ;;
  *"reset by peer"*) outcome=Xc ;;
  *) outcome=Ec ;;
  esac
}

# Opens one TCP connection from a new socket and closes it. Sets `outcome`.
dial() {
  message=$(nc -n -z -v -w "$TIMEOUT" "$1" "$2" 2>&1)
  case $?:$message in
  0:*succeeded*) outcome=Cc ;;
  *) classify "$message" ;;
  esac
}

# Sends bytes from a new socket and waits for an answer. Sets `outcome`, and `answer` to its first bytes in hexadecimal.
exchange() {
  answer=$(timeout "$((TIMEOUT * 2))" bash "$PROGRAM/exchange.sh" "$1" "$2" "$3" "$4" "$TIMEOUT" 2>&1)
  code=$?
  # Whatever came afterwards, and however long it took, is no silence of somebody out of reach.
  case $answer in "+"*) stood=yes ;; *) stood=no ;; esac
  answer=${answer#"+"}
  case $code:$stood in
  0:*) outcome=Cc ;;
  3:* | 124:yes | 143:yes) outcome=Td ;;
  124:no | 143:no) outcome=Tc ;;
  *) classify "$answer" ;;
  esac
}

# Asks for an HTTP answer and reads its status line. Sets `outcome` and `detail`.
request() {
  case $1 in *:*) address_text="[$1]" ;; *) address_text=$1 ;; esac
  scheme=$STAGE
  case $3 in -) name=$address_text ;; *) name=$3 ;; esac
  # The name is for the server to see, in the Host header and the TLS handshake; where to connect is settled.
  # A target that keeps a TLS library busy, by endless requests to begin anew, keeps curl from looking at its clock.
  answered=$(timeout "$((TIMEOUT * 2))" curl -q --silent --insecure --globoff --path-as-is --noproxy '*' --proto "=$scheme" --max-redirs 0 \
    --max-filesize 1048576 --max-time "$TIMEOUT" --output /dev/null --write-out '%{time_appconnect} %{http_code}' \
    --user-agent postern-probe --connect-to "::$address_text:$2" "$scheme://$name:$2$5")
  code=$?
  status=${answered#* }
  case $scheme:${answered%% *} in https:0.000000 | https:) failed=t ;; *) failed=h ;; esac
  case $code:$status in
  28:000 | 124:* | 143:*) outcome=T$failed ;;
  35:*) outcome=St ;;
  52:* | 56:000) outcome=X$failed ;;
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

# Resolves a name as the application would, through glibc and the pod's own resolver settings. Sets `addresses`, or `outcome`.
resolve() {
  addresses=''
  found=$(RES_OPTIONS="timeout:$TIMEOUT attempts:1" timeout "$((TIMEOUT * 2))" getent ahosts "$1")
  code=$?
  while read -r address _; do
    case " $addresses " in *" $address "*) continue ;; esac
    [ -n "$address" ] && addresses="$addresses $address"
  done <<EOF
$found
EOF
  if [ -z "$addresses" ]; then
    # 2: no such name; 124 and 143: out of time. Anything else, like a tool out of memory, says nothing about the name.
    case $code in 2 | 124 | 143) outcome=Nd ;; *) outcome=Ed ;; esac
  fi
  for address in $addresses; do
    is_forbidden "$address" && outcome=Fd && detail=$address && return
  done
}

# What the pod's resolver settings say, as resolv.conf(5) explains them. Sets `servers`, `domains` and `ndots`.
read_resolver() {
  servers='' domains='' ndots=1
  while read -r key values; do
    case $key in
    nameserver) servers="$servers ${values%% *}" ;;
    search | domain) domains=$values ;;
    options) for option in $values; do case $option in ndots:*) ndots=${option#ndots:} ;; esac done ;;
    esac
  done <"${POSTERN_RESOLVER_FILE:-/etc/resolv.conf}"
}

# The names that a name stands for, in the order in which resolvers try them. Sets `names`, without final dots.
complete_name() {
  case $1 in *.) names=${1%.} && return ;; esac
  names=''
  for domain in $domains; do [ "$domain" = . ] || names="$names $1.${domain%.}"; done
  dots=$(printf '%s' "$1" | tr -cd .)
  if [ "${#dots}" -ge "$ndots" ]; then names="$1 $names"; else names="$names $1"; fi
}

# A name as it travels (RFC 1035, 3.1), in hexadecimal.
encode_name() {
  rest=$1.
  while [ -n "$rest" ]; do
    label=${rest%%.*}
    rest=${rest#*.}
    printf '%02x' "${#label}"
    printf '%s' "$label" | od -An -v -tx1 | tr -d ' \n'
  done
  echo 00
}

# Asks one server for one name: ask SERVER PORT NAME TYPE. Sets `outcome`; its stage is `d` if an answer came.
ask() {
  read -r token </proc/sys/kernel/random/uuid
  token=${token%"${token#????}"}
  question=$(encode_name "$3")$(printf '%04x' "$4")0001
  query=${token}01000001000000000000$question
  transport=${STAGE#dns}
  answer=''
  [ "$transport" = tcp ] || exchange udp "$1" "$2" "$query"
  # An answer that was cut short (RFC 1035, 4.1.1: TC) is asked for again over TCP, as resolvers do.
  case $STAGE:$outcome:$answer in dnsudp:Cc:"$token"?[2367abef]*) transport=tcp ;; esac
  if [ "$transport" = tcp ]; then
    exchange tcp "$1" "$2" "$(printf '%04x' "$((${#query} / 2))")$query"
    answer=${answer#????}
  fi
  [ "$outcome" = Cc ] || return
  # Header: id, flags with QR first and RCODE last, QDCOUNT, ANCOUNT, two more counts.
  case $answer in
  "$token"[89a-f]??0*) if has_record "$4" "${answer#????????????????????????}"; then outcome=Cd; else outcome=Nd; fi ;;
  "$token"[89a-f]??3*) outcome=Nd ;;
  *) outcome=Dd ;;
  esac
}

# Whether an answer without its header holds a record of the type: has_record TYPE HEX. An alias alone resolves to nothing.
has_record() {
  wanted=$(printf '%04x' "$1")
  records=${2#"$question"}
  while [ -n "$records" ]; do
    # The owner's name: labels, ended by an empty one or by a pointer (RFC 1035, 4.1.4).
    while :; do
      length=${records%"${records#??}"}
      case $length in
      '' | 00) records=${records#??} && break ;;
      [c-f]?) records=${records#????} && break ;;
      esac
      skip "$((0x$length + 1))"
    done
    # Type, class, time to live and length of the data.
    case $records in "$wanted"0001*) return 0 ;; esac
    skip 8
    length=${records%"${records#????}"}
    skip "$((0x${length:-0} + 2))"
  done
  return 1
}

# Drops so many bytes from the front of `records`.
skip() {
  left=$1
  while [ "$left" -gt 0 ] && [ -n "$records" ]; do
    records=${records#??}
    left=$((left - 1))
  done
}

# Looks a name up: lookup SERVER PORT NAME TYPE; SERVER "-" stands for the pod's own. Sets `outcome`.
lookup() {
  read_resolver
  [ "$1" = - ] || servers=$1
  complete_name "$3"
  outcome=Ed
  telling=''
  for server in $servers; do
    answered=''
    for name in $names; do
      ask "$server" "$2" "$name" "$4"
      # Resolvers go on to the next name whatever was answered about this one.
      case $outcome in Cd) return ;; Nd) answered=${answered:-Nd} ;; Dd) answered=Dd ;; *) break ;; esac
    done
    # A server that answered about one name and then fell silent is not out of reach.
    case ${answered:--}:$outcome in
    -:*) ;;
    Nd:Nd) return ;;
    *:?d) outcome=$answered ;;
    *) outcome=Dd ;;
    esac
    # Silence of the last server must not hide what another one said.
    [ "$outcome" = Tc ] || telling=$outcome
  done
  outcome=${telling:-$outcome}
}

# Addresses of one name that are dialled: clients try the next one where one fails, so one that connects decides.
MAX_ADDRESSES=3

attempt() {
  outcome=''
  detail=-
  case $STAGE in
  dns*)
    lookup "$1" "$2" "$3" "$4"
    return 0
    ;;
  esac
  addresses=$1
  [ "$1" = - ] && resolve "$3"
  [ -n "$outcome" ] && return
  telling='' dialled=0
  for address in $addresses; do
    [ "$dialled" -lt "$MAX_ADDRESSES" ] || break
    dialled=$((dialled + 1))
    if [ "$STAGE" = udp ]; then exchange udp "$address" "$2" "$5"; else dial "$address" "$2"; fi
    case $telling:$outcome in
    :* | Tc:[!T]*)
      telling=$outcome
      [ "$1" = - ] && detail=$address
      ;;
    esac
    [ "$outcome" = Cc ] && break
  done
  [ "$outcome" = Cc ] && [ "$1" = - ] && detail=$address
  [ "$outcome" = Cc ] || outcome=$telling
  case $STAGE:$outcome in http*:Cc) request "$address" "$2" "$3" "$4" "$5" ;; esac
  return 0
}

is_success() {
  case $STAGE:$outcome in tcp:Cc | udp:Cc | http*:Ch | dns*:Cd) return 0 ;; esac
  return 1
}

# Whether the settling time of the check is over.
is_settled() {
  [ $(($(now) - began)) -ge $((SETTLE * 100)) ]
}

# Waits until it is.
settle() {
  remaining=$((SETTLE * 100 - ($(now) - began)))
  [ "$remaining" -le 0 ] || sleep "$((remaining / 100)).$(printf '%02d' "$((remaining % 100))")"
}

check() {
  id=$1 mode=$2 STAGE=$3
  shift 3
  attempts=1
  began=$(now)
  decided=
  attempt "$@"
  first=$outcome
  if [ "$mode" = guard ]; then
    # One connection is enough to fail a Deny; anything else is confirmed by a second try from a new socket, when an Allow would
    # give up: what was blocked for a moment only, by a restart or a rule on its way, is open by then.
    case $outcome in
    Cc | Cd | ?t | ?h) ;;
    *)
      settle
      attempts=2
      attempt "$@"
      # Two different answers are no steady denial: state the one that is not silence, and that it did not stand alone.
      if [ "$outcome" = Tc ] && [ "$first" != Tc ]; then
        outcome=$first first=Tc
      fi
      ;;
    esac
  elif [ "$mode" = seal ]; then
    seal "$@"
  else
    while :; do
      if is_success; then
        decided=$(now)
        attempts=$((attempts + 1))
        attempt "$@"
        is_success && break
        decided=
      fi
      is_settled && break
      sleep 0.2
      attempts=$((attempts + 1))
      last=$outcome
      attempt "$@"
      # Kernels bound how often they refuse a datagram (icmp(7), icmp_ratelimit): silence after a refusal is still one.
      [ "$STAGE:$last:$outcome" = udp:Rc:Tc ] && outcome=Rc
    done
  fi
  echo "$id $outcome $attempts $((${decided:-$(now)} - began)) $first $detail"
}

# Tries until it no longer connects, twice in the same way. Sets `decided` to the start of the first such attempt.
seal() {
  decided=$began
  while :; do
    if ! is_success; then
      last=$outcome
      attempts=$((attempts + 1))
      attempt "$@"
      [ "$outcome" = "$last" ] && return
    fi
    if is_settled; then
      decided=
      is_success || outcome=Ec
      return
    fi
    sleep 0.2
    attempts=$((attempts + 1))
    decided=$(now)
    attempt "$@"
  done
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
  while read -r id mode stage address port host status data; do
    [ -n "$id" ] && check "$id" "$mode" "$stage" "$address" "$port" "$host" "$status" "$data" &
  done
  wait
}

PROGRAM=${0%/*}
TIMEOUT=$POSTERN_TIMEOUT_SECONDS
SETTLE=$POSTERN_SETTLE_SECONDS
# A fresh pod may be open, or closed, until its policies are in place.
sleep "${POSTERN_DELAY_SECONDS:-0}"
lines=$(printf '%s\n' "$POSTERN_PLAN" | run)
resolver=N
results=
count=0
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
