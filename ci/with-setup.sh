#!/usr/bin/env bash
# with-setup.sh COMMAND...: runs COMMAND once the npm packages are installed.
source "$(dirname "$0")/lib.sh"
"$repo/ci/setup.sh"
exec "$@"
