#!/bin/sh
# A CNI plugin (CNI 1.0.0) to be chained after the one that makes the pod's interface: it has the pod compute its own checksums.
set -eu
configuration=$(cat)
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
ADD)
  nsenter --net="$CNI_NETNS" ethtool -K "$CNI_IFNAME" tx off >&2
  # What the plugin before has made stays the result.
  printf '%s' "$configuration" | jq -c .prevResult
  ;;
esac
