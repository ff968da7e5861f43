#!/bin/sh
# Makes .venv and checks for OpenGL; does nothing when both are up to date.
set -eu
cd "$(dirname "$0")"
stamp=.venv/.installed-from
packages="libegl1 libgl1 libgl1-mesa-dri"

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 ||
    fail "no python3; install Python 3.11 or later (Debian: apt-get install -y python3 python3-venv)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old; install Python 3.11 or later, or set PYTHON=python3.11"

if ! cmp -s pyproject.toml "$stamp"; then
    echo "setting up .venv (once, about a minute) ..."
    [ -x .venv/bin/python ] || "$python" -m venv .venv ||
        fail "python cannot make a virtual environment (Debian: apt-get install -y python3-venv)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
    cp pyproject.toml "$stamp"
fi

opengl_opens() { .venv/bin/renderer doctor >/dev/null 2>&1; }

if [ "$(uname -s)" = Linux ] && ! opengl_opens; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing a software OpenGL ($packages) ..."
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of packages
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages >/dev/null
    fi
    opengl_opens || fail "no OpenGL through EGL; install it with: sudo apt-get install -y $packages"
fi
