#!/bin/sh
# run_pytest.sh ARGS... - pytest with the tests' environment and fixtures (harness/plugin.py).
#
#   BOBBIN_BIN_DIR=build/bin tests/integration/run_pytest.sh tests/integration/test_search.py -k new
#
# Exit code 77, which ctest takes as "skipped", when every test was skipped (a toolchain is
# missing).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=$("$here/setup_venv.sh")
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -m pytest \
    -c "$here/pytest.ini" --rootdir "$here/.." -p harness.plugin "$@"
