#!/usr/bin/env bash
# Everything that is checked: builds what is out of date, then runs the gates and all tests. The last line says how
# many passed and how many failed.
source "$(dirname "$0")/lib.sh"
cd "$repo"
if ! { ci/setup.sh && ci/build.sh; }; then
  echo '0 passed, 1 failed: the build'
  exit 1
fi
exec node ci/run-tests.mjs "$@"
