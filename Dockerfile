# Ennio, with what it calls: git, tmux and ssh. Agents are not in it: build an image of your own on top of it, with theirs.
#
#   docker build -t ennio .
#   docker run --rm ennio --help
#   docker run --rm --entrypoint ennio-node ennio --help
#
# docs/install.md says how a repository and the state are given to it.

# The dashboard needs a newer node than Debian has; nothing of this stage but the built page goes on.
FROM node:22-bookworm-slim AS page
WORKDIR /src
COPY dashboard /src/dashboard
RUN npm --prefix dashboard ci --ignore-scripts --no-audit --no-fund && ENNIO_PYTHON= npm --prefix dashboard run build

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates
COPY . /src
COPY --from=page /src/ennio/http/dashboard/dist /src/ennio/http/dashboard/dist
RUN python3 -m venv /opt/ennio && /opt/ennio/bin/pip install --no-cache-dir -r /src/requirements.lock
RUN /opt/ennio/bin/pip install --no-cache-dir --no-deps /src

FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends python3 git tmux openssh-client ca-certificates tini && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/ennio /opt/ennio
RUN useradd --create-home --uid 1000 --shell /bin/bash ennio && \
    install -d -o ennio -g ennio -m 0700 /var/lib/ennio && \
    install -d -o ennio -g ennio -m 0755 /work
ENV PATH=/opt/ennio/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ENNIO_HOME=/var/lib/ennio \
    LANG=C.UTF-8
USER ennio
WORKDIR /work
VOLUME ["/var/lib/ennio"]
EXPOSE 3000
# tini takes in what agents leave behind, which nobody else in here would wait for
ENTRYPOINT ["/usr/bin/tini", "--", "ennio"]
CMD ["--help"]
