#!/bin/sh
# Write requirements.lock from pyproject.toml: one version of every package, with hashes, for all
# supported Pythons. Pins that still fit are kept; `make lock LOCKFLAGS=--upgrade` renews them.
set -eu
cd "$(dirname "$0")/.."

for uv in uv .venv/bin/uv; do
    "$uv" --version >/dev/null 2>&1 && break
    uv=
done
[ "$uv" ] || {
    echo "lock: uv is missing; 'make install' puts it into .venv." >&2
    exit 1
}

"$uv" pip compile --quiet --universal --python-version 3.12 --no-python-downloads --generate-hashes \
    --no-header --no-annotate --group dev --output-file requirements.lock "$@" pyproject.toml
