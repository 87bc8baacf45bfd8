# Two images: `operator`, which runs in the cluster, and `probe`, which it runs wherever a connection is to be tried.
#
#   docker build --target operator --tag postern .
#   docker build --target probe --tag postern-probe .

ARG BASE_IMAGE=debian:bookworm-slim
ARG NODE_IMAGE=node:24-bookworm-slim

# The probe's programs with the libraries that they load, and nothing else: every probe pod pulls this image.
FROM ${BASE_IMAGE} AS probe-root
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends busybox curl netcat-openbsd socat \
 && rm -rf /var/lib/apt/lists/*
# The two libraries that ldd does not see: glibc loads them when it resolves a name.
RUN set -eu; \
    mkdir -p /root-tree/bin /root-tree/etc /root-tree/tmp; \
    chmod 1777 /root-tree/tmp; \
    cp /bin/dash /root-tree/bin/sh; \
    cp /bin/bash /root-tree/bin/bash; \
    cp /usr/bin/curl /root-tree/bin/curl; \
    cp /bin/nc.openbsd /root-tree/bin/nc; \
    cp /bin/busybox /root-tree/bin/busybox; \
    cp /usr/bin/socat /root-tree/bin/socat; \
    cp /usr/bin/getent /root-tree/bin/getent; \
    libraries=$(ldconfig -p | awk '/libnss_(dns|files)\.so\.2|libresolv\.so\.2/ { print $NF }'); \
    needed=$(ldd /bin/dash /bin/bash /usr/bin/curl /bin/nc.openbsd /bin/busybox /usr/bin/getent /usr/bin/socat $libraries | awk '/=> \// { print $3 } $1 ~ /^\// && /\(0x/ { print $1 }' | sort -u); \
    for library in $libraries $needed; do \
      mkdir -p "/root-tree$(dirname "$library")"; \
      cp -L "$library" "/root-tree$library"; \
    done; \
    for applet in $(busybox --list); do \
      [ -e "/root-tree/bin/$applet" ] || ln -s busybox "/root-tree/bin/$applet"; \
    done; \
    echo 'probe:x:65532:65532:probe:/tmp:/bin/sh' >/root-tree/etc/passwd; \
    echo 'probe:x:65532:' >/root-tree/etc/group; \
    echo 'hosts: files dns' >/root-tree/etc/nsswitch.conf

FROM scratch AS probe
LABEL org.opencontainers.image.title="postern-probe" \
      org.opencontainers.image.description="Tries connections for Postern, from a pod that looks like the application" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=probe-root /root-tree/ /
COPY src/probe/program/ /postern/
ENV PATH=/bin
USER 65532:65532
ENTRYPOINT ["/bin/sh", "/postern/probe.sh"]

# The npm packages that the operator runs with, from the lock file.
FROM ${NODE_IMAGE} AS packages
# For builds behind a proxy: a registry, and authorities to trust. Both may stay unset.
ARG NPM_CONFIG_REGISTRY
ARG NPM_CONFIG_CAFILE
WORKDIR /postern
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.md' \) -type f -delete

FROM ${NODE_IMAGE} AS operator
LABEL org.opencontainers.image.title="postern" \
      org.opencontainers.image.description="Tests on the wire what network policies are declared to do" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /postern
COPY --from=packages /postern/node_modules/ node_modules/
COPY package.json ./
COPY src/ src/
USER 65532:65532
ENTRYPOINT ["node", "src/main/operator.ts"]
