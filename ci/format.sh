#!/usr/bin/env bash
# Formats everything: Rust with the toolchain's rustfmt, the rest with prettier.
source "$(dirname "$0")/lib.sh"
cd "$repo"
ci/setup.sh
ci/toolchain.sh cargo fmt --all
node ci/format.mjs
