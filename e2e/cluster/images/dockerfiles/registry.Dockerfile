FROM scratch
COPY registry /usr/local/bin/registry
COPY registry.yaml /etc/distribution/config.yml
ENTRYPOINT ["/usr/local/bin/registry"]
CMD ["serve", "/etc/distribution/config.yml"]
