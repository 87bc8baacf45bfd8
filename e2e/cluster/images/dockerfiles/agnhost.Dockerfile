ARG BASE
FROM ${BASE}
COPY agnhost /agnhost
ENTRYPOINT ["/agnhost"]
CMD ["pause"]
