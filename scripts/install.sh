#!/bin/sh
# Make .venv: a Python that can run fem-spe, the packages of requirements.lock, and fem-spe itself
# in editable form. PYTHON=/path/to/python3 chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME     # what lies there would count as installed
here=$(pwd -P)
stamp=.venv/.installed

fail() {
    echo "install: $1" >&2
    exit 1
}

candidates() {
    [ -z "${PYTHON:-}" ] || { echo "$PYTHON"; return; }
    printf '%s\n' python3 python3.13 python3.12 python3.14
    printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python3
    uv python find --system --no-python-downloads '>=3.12' 2>/dev/null || :
}

# Each candidate is run: a pyenv shim can exist and refuse, and plain python3 may be too old.
choose_python() {
    reason=
    while read -r candidate; do
        if answer=$("$candidate" scripts/check_python.py 2>/dev/null </dev/null); then
            python=$answer
            return
        fi
        reason=${reason:-$answer}
    done <<LIST
$(candidates)
LIST
    fail "${reason:-no working Python 3.12 to 3.14${PYTHON:+ at $PYTHON}; 'pyenv install 3.13', \
'uv python install 3.13' or, on Debian 13, 'sudo apt install python3-venv python3-dev' installs one.}"
}

# The stamp holds the folder, since scripts in .venv name it; it is written last and removed first,
# so an interrupted installation starts afresh and a finished one is brought up to date in place.
if [ "$(cat $stamp 2>/dev/null)" != "$here" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    choose_python
    echo "install: .venv with $("$python" --version) ($python)"
    rm -rf .venv
    "$python" -m venv .venv || fail "$python cannot make a virtual environment."
fi
rm -f $stamp

if uv --version >/dev/null 2>&1; then
    install="uv pip install --quiet --python .venv/bin/python"
else
    install=".venv/bin/python -m pip install --quiet --disable-pip-version-check"
fi
echo "install: packages of requirements.lock (1.5 GB, about a minute)"
$install --require-hashes --only-binary :all: -r requirements.lock
$install --no-build-isolation --no-deps --editable .
echo "$here" >$stamp
