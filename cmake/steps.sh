# steps.sh - sourced by run, check and .ci/run: steps that tell their time, builds, test runs.
# The caller has changed to the top of the tree and set `set -euo pipefail`.

steps_told=()

# step NAME COMMAND...: runs it and remembers how long it took. Its failure ends the script.
step() {
  local name=$1 begin=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  steps_told+=("$(printf '%4d s  %s' "$((SECONDS - begin))" "$name")")
  printf -- '-- %s: %d s\n' "$name" "$((SECONDS - begin))"
  if [ "$status" -ne 0 ]; then
    printf '\n%s failed (exit code %d)\n' "$name" "$status" >&2
    exit "$status"
  fi
}

tell_steps() {
  printf '\n'
  printf '%s\n' "${steps_told[@]}"
}

# build PRESET [TARGET...] [-- CMAKE_ARGUMENT...]: configures and builds; all targets when none is
# named.
build() {
  local preset=$1 targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    targets+=(--target "$1")
    shift
  done
  [ $# -eq 0 ] || shift
  local log
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  cmake --build --preset "$preset" "${targets[@]}"
}

# run_tests BUILD_DIR RESULTS CTEST_ARGUMENT...: ctest, its results as JUnit XML in RESULTS, whose
# directory exists. Fails when a test does or when there was none.
run_tests() {
  local build_dir=$1 results=$2
  shift 2
  ctest --test-dir "$build_dir" --parallel "$(nproc)" --output-on-failure --no-tests=error \
    --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
    --output-junit "$results" "$@"
}
