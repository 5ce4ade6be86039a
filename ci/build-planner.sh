#!/usr/bin/env bash
# Runs inside the toolchain (ci/toolchain.sh): the core without a database, for JavaScript -> build/planner/planner.wasm.gz, and
# planner-glue.js, which wasm-bindgen writes for it.
source "$(dirname "$0")/lib.sh"
cd "$repo"

triple=wasm32-unknown-unknown
target=target/planner
build=build/planner
sysroot=$(rustc --print sysroot)

flags=(
  -C linker=wasm-ld # a Rust of Debian brings none of its own
  # A panic is a bug, and its message is of no use to anyone: 40 KB less.
  -C panic=immediate-abort
  # No message prints a value by `{:?}` (clippy::use_debug), nor the line of the source that it comes from.
  -Z unstable-options
  -Z fmt-debug=none
  -Z location-detail=none
  # Two builds in different folders give the same bytes.
  --remap-path-prefix="$repo=/pg_trickle"
  --remap-path-prefix="$sysroot=/rust"
  --remap-path-prefix="${CARGO_HOME:-$HOME/.cargo}=/cargo"
)
# Cargo separates flags by 0x1f in this variable, so that a path may hold a space.
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target \
  cargo build --release --locked --manifest-path pg_trickle_core/planner/Cargo.toml --target "$triple" \
  -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size

rm -rf "$build"
mkdir -p "$build"
wasm-bindgen --target web --no-typescript --keep-debug --out-dir "$build" --out-name planner "$target/$triple/release/pg_trickle_planner.wasm"
# What every browser has that runs PGlite.
features=(
  --mvp-features --enable-mutable-globals --enable-sign-ext --enable-bulk-memory --enable-bulk-memory-opt
  --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types
)
# ci/build-wasm.sh says why functions are not inlined and accesses not aligned.
# Nothing but the last words of a full stack lies below address 1024, so that offsets can be folded: 3 KB less.
wasm-opt "${features[@]}" --one-caller-inline-max-function-size=20 -Oz --gufa -Oz --low-memory-unused -Oz --dealign --debuginfo \
  "$build/planner_bg.wasm" -o "$build/named.wasm"
order_functions "$build/named.wasm" "$build/planner.wasm" "${features[@]}"
zopfli --i25 "$build/planner.wasm"
mv "$build/planner.js" "$build/planner-glue.js"
rm "$build/planner_bg.wasm"
