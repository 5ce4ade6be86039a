#!/usr/bin/env bash
# Formats everything: Rust with the toolchain's rustfmt, the rest with prettier.
source "$(dirname "$0")/lib.sh"
cd "$repo"
ci/setup.sh
for manifest in Cargo.toml pg_trickle_core/planner/Cargo.toml; do ci/toolchain.sh cargo fmt --all --manifest-path $manifest; done
node ci/format.mjs
