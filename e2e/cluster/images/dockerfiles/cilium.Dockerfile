ARG BASE
FROM ${BASE}
COPY cilium-agent cilium-dbg cilium-mount cilium-sysctlfix /usr/bin/
COPY cilium-cni /opt/cni/bin/
COPY loopback /cni/
COPY init-container.sh install-plugin.sh cni-uninstall.sh /
COPY bpf /var/lib/cilium/bpf
RUN ln -s cilium-dbg /usr/bin/cilium
