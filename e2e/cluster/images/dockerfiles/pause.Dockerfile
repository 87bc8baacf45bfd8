# catatonit's pause mode does what Kubernetes' own pause program does: it waits, and reaps.
ARG BASE
FROM ${BASE} AS tools
FROM scratch
COPY --from=tools /usr/bin/catatonit /pause
ENTRYPOINT ["/pause", "-P"]
