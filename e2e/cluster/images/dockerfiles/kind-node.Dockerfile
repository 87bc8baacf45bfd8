# Stands in for kindest/node: systemd, containerd, a kubelet and kubeadm, as kind expects to find them.
ARG BASE
FROM ${BASE}
RUN rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
      /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/* \
      /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl* \
      /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service \
 && mkdir -p /opt/cni/bin /etc/cni/net.d /etc/kubernetes/manifests
COPY containerd ctr containerd-shim-runc-v2 /usr/local/bin/
COPY kubelet kubeadm kubectl /usr/bin/
COPY cni/ /opt/cni/bin/
COPY files/ /
RUN systemctl enable kubelet.service containerd.service \
 && systemctl mask systemd-binfmt.service systemd-logind.service
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
