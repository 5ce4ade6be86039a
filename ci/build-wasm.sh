#!/usr/bin/env bash
# Runs inside the toolchain (ci/toolchain.sh): Rust library + C shim -> build/pg<major>/pg_trickle.so, one for each
# PostgreSQL major. The Rust library knows no PostgreSQL header and is built once.
source "$(dirname "$0")/lib.sh"
cd "$repo"

triple=wasm32-unknown-unknown # -emscripten's std wants pthread symbols that PGlite does not export
library=target/wasm/$triple/release/libpg_trickle_pglite.a

build_rust() {
  local sysroot rust_src std_from=() flags
  sysroot=$(rustc --print sysroot)
  rust_src=$(realpath "$sysroot/lib/rustlib/src/rust")
  if [ -d "$rust_src/library/vendor" ]; then
    std_from=(
      --config 'source.crates-io.replace-with="rust-src"'
      --config "source.rust-src.directory=\"$rust_src/library/vendor\""
    )
  fi
  flags=(
    -C relocation-model=pic
    -C panic=unwind
    -C target-feature=+exception-handling
    # The newer encoding needs `exnref`, which Node 20 and older browsers reject.
    -C llvm-args=-wasm-use-legacy-eh=true
    # Else every function whose address is taken is looked up by the host, by its mangled name.
    -Z default-visibility=hidden
    # Two builds in different folders give the same bytes.
    --remap-path-prefix="$repo=/pg_trickle"
    --remap-path-prefix="$rust_src=/rust"
  )
  # Cargo separates flags by 0x1f in this variable, so that a path may hold a space.
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/wasm \
    cargo build --release --locked -p pg_trickle_pglite --target "$triple" \
    -Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind,optimize_for_size "${std_from[@]}"
}

# exports_of FLAGS...: the symbols that PostgreSQL looks up. Every `PG_FUNCTION_INFO_V1(name)` of the shim declares
# a function pg_finfo_name, whatever macro it stands in.
exports_of() {
  emcc -E "$@" shim/*.c | grep -o -E '\bpg_finfo_[A-Za-z0-9_]+' | sort -u |
    sed 's/^pg_finfo_\(.*\)/_\1,_pg_finfo_\1/' | paste -s -d , | sed 's/^/_Pg_magic_func,__PG_init,/'
}

build_module() {
  local major=$1 out=build/pg$1 source objects=() exports flags
  mkdir -p "$out"
  flags=(
    -Oz -fPIC -fvisibility=hidden -std=gnu17 -fno-strict-aliasing -fwrapv "$longjmp"
    -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare
    -ffile-prefix-map="$repo=/pg_trickle"
    -isystem "$PG_HEADERS/$major/usr/include/postgresql/$major/server"
  )
  for source in shim/*.c; do
    objects+=("$out/$(basename "$source" .c).o")
    emcc -c "${flags[@]}" "$source" -o "${objects[-1]}"
  done
  exports=$(exports_of "${flags[@]}")
  emcc -Oz --profiling-funcs "$longjmp" -sSIDE_MODULE=2 -sEXPORTED_FUNCTIONS="$exports" -Wl,--experimental-pic \
    "${objects[@]}" "$library" -o "$out/linked.wasm"
  # Function names stay for the size report and go from the module that is shipped.
  wasm-opt "${wasm_features[@]}" -Oz --debuginfo "$out/linked.wasm" -o "$out/named.wasm"
  wasm-opt "${wasm_features[@]}" --strip-debug --strip-producers "$out/named.wasm" -o "$out/pg_trickle.so"
}

longjmp=-sSUPPORT_LONGJMP=emscripten # the host has no exception tag for the other way
# What PGlite's own module and every engine it runs on have; no more, or the optimiser may use it.
wasm_features=(
  --mvp-features --enable-mutable-globals --enable-sign-ext --enable-bulk-memory --enable-bulk-memory-opt
  --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types --enable-exception-handling
)

build_rust
for major in "${pg_majors[@]}"; do
  build_module "$major"
done
