# What Cilium compiles its BPF programs with, at run time.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clang-19 llvm-19 bpftool libc6-dev \
 && ln -s /usr/bin/clang-19 /usr/local/bin/clang \
 && ln -s /usr/bin/llc-19 /usr/local/bin/llc \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
