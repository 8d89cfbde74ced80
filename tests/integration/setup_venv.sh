#!/bin/sh
# setup_venv.sh - makes the Python environment of these tests, once, and prints its path.
#
# It lies in the user's cache under a name made from requirements.txt and the Python version, so
# that several build directories share it and a changed requirement makes a new one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=${BOBBIN_TEST_PYTHON:-python3}
cache="${XDG_CACHE_HOME:-$HOME/.cache}/bobbin"
key=$({ "$python" --version; cat "$here/requirements.txt"; } | sha256sum | cut -c1-16)
venv="$cache/venv-$key"

if [ ! -e "$venv/complete" ]; then
    mkdir -p "$cache"
    # Tests start side by side: the first one installs, the others wait for it.
    exec 9> "$venv.lock"
    flock 9
    if [ ! -e "$venv/complete" ]; then
        rm -rf "$venv"
        "$python" -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
        touch "$venv/complete"
    fi
fi
echo "$venv"
