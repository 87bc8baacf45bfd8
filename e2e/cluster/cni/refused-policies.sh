#!/bin/sh
# A CNI plugin (CNI 1.0.0) to be chained after ptp: a policy engine in miniature. It refuses what is new. Of
# NetworkPolicies it knows those that admit nothing and select by matchLabels, as they are when a pod starts.
set -eu
configuration=$(cat)
version='{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'

# A value of CNI_ARGS, which reads `KEY=VALUE;KEY=VALUE`.
argument() {
  echo "$CNI_ARGS" | tr ';' '\n' | sed -n "s/^$1=//p"
}

get() {
  kubectl --kubeconfig /etc/kubernetes/kubelet.conf -n "$(argument K8S_POD_NAMESPACE)" get "$@" -o json
}

# The directions in which policies isolate a pod with the given labels.
isolated() {
  get networkpolicies | jq -r --argjson labels "$1" '[
    .items[].spec
    | select(.podSelector.matchExpressions == null)
    | select(.podSelector.matchLabels // {} | to_entries | all(.key as $key | $labels[$key] == .value))
    | . as $spec | .policyTypes[] | select($spec[ascii_downcase] == null)
  ] | unique[]'
}

case $CNI_COMMAND in
VERSION) echo "$version" ;;
ADD)
  address=$(printf '%s' "$configuration" | jq -r '.prevResult.ips[0].address | split("/")[0]')
  labels=$(get pod "$(argument K8S_POD_NAME)" | jq -c '.metadata.labels // {}')
  for direction in $(isolated "$labels"); do
    case $direction in Ingress) side=-d ;; Egress) side=-s ;; esac
    set -- "$side" "$address" -m conntrack --ctstate NEW -m comment --comment "$CNI_CONTAINERID" -j REJECT
    iptables -w -I FORWARD "$@" --reject-with icmp-port-unreachable
    # Of ICMP errors the kernel sends a client six, and one more per second (icmp_ratelimit); resets it does not count.
    iptables -w -I FORWARD -p tcp "$@" --reject-with tcp-reset
  done
  # What the plugin before has made stays the result.
  printf '%s' "$configuration" | jq -c .prevResult
  ;;
DEL)
  iptables-save -t filter | sed -n "/--comment $CNI_CONTAINERID /s/^-A/-D/p" | while read -r rule; do
    # shellcheck disable=SC2086 # a rule is words
    iptables -w $rule
  done
  ;;
esac
