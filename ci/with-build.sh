#!/usr/bin/env bash
# with-build.sh COMMAND...: runs COMMAND once everything that it needs is installed and built.
source "$(dirname "$0")/lib.sh"
"$repo/ci/setup.sh"
"$repo/ci/build.sh"
exec "$@"
