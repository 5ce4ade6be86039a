# A Debian with everything that the build and the tests need, for those who have no toolchain and no root:
#
#   docker build -t pg_trickle .
#   docker run --rm -it -v "$PWD":/pg_trickle pg_trickle npm test
#
# The user `dev` in it has the number 1000, as the first user of most machines has. docs/BUILDING.md says more.
FROM debian:forky-slim

COPY ci/lib.sh ci/install-toolchain.sh ci/toolchain.versions /opt/pg_trickle/ci/
RUN /opt/pg_trickle/ci/install-toolchain.sh
COPY ci/install-servers.sh /opt/pg_trickle/ci/
RUN /opt/pg_trickle/ci/install-servers.sh /opt/servers-1
RUN apt-get update \
  && apt-get install -y --no-install-recommends chromium git npm \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 --shell /bin/bash dev

# The tools are on PATH, so ci/toolchain.sh makes no Debian root.
ENV PG_HEADERS=/opt/pg
USER dev
WORKDIR /pg_trickle
