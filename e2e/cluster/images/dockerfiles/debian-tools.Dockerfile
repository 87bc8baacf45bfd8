# Debian with what a Kubernetes node, kube-proxy, Cilium and agnhost call.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      systemd systemd-sysv dbus conntrack iptables nftables ipset iproute2 ethtool kmod libseccomp2 procps \
      curl netcat-openbsd jq ca-certificates socat runc util-linux mount catatonit \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
