#!/bin/sh
# Build the container image `fem-spe` with docker or podman, whichever answers.
set -eu
cd "$(dirname "$0")/.."

# `info` asks the engine itself: a docker client without its daemon cannot build.
for engine in docker podman; do
    if "$engine" info >/dev/null 2>&1; then
        version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
        exec "$engine" build -t fem-spe --label "org.opencontainers.image.version=$version" "$@" .
    fi
done
echo "image: neither docker nor podman answers; 'sudo apt install podman' (Debian, Ubuntu) installs one." >&2
exit 1
