# fem-spe with all it needs. Build: `make image`. Run a case of the present folder:
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" fem-spe run case.toml
#   podman run --rm --userns=keep-id -v "$PWD:/data" fem-spe run case.toml
#   several ranks:  ... --entrypoint mpiexec ... fem-spe -n 4 fem-spe run case.toml
# It needs no network and no writable root: --network=none --read-only --tmpfs /tmp
FROM docker.io/library/debian:trixie-slim

# gcc and the headers stay: DOLFINx compiles forms at run time. The lib* are loaded by gmsh and VTK.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        gcc libc6-dev python3 python3-dev python3-venv \
        libegl1 libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libxrender1 \
    && rm -rf /var/lib/apt/lists/*

# The packages first: this large layer changes with the lock only.
ENV PATH=/opt/fem-spe/bin:$PATH
COPY requirements.lock /opt/src/
RUN python3 -m venv /opt/fem-spe \
    && pip install --no-cache-dir --only-binary :all: --require-hashes -r /opt/src/requirements.lock

COPY . /opt/src/
RUN pip install --no-cache-dir --no-build-isolation --no-deps /opt/src

# Compiled forms and settings go to /tmp, which any user can write, also in a read-only container.
ENV HOME=/tmp XDG_CACHE_HOME=/tmp/cache XDG_CONFIG_HOME=/tmp/config MPLCONFIGDIR=/tmp/matplotlib

RUN useradd --uid 1000 --home-dir /tmp --no-create-home fem && install -d -o fem -g fem /data
USER fem
WORKDIR /data

LABEL org.opencontainers.image.title="fem-spe" \
      org.opencontainers.image.description="Finite elements for structured solid polymer electrolytes" \
      org.opencontainers.image.licenses="LGPL-3.0-or-later AND GPL-2.0-or-later"
ENTRYPOINT ["fem-spe"]
