#!/usr/bin/env bash
# Runs inside the toolchain (ci/toolchain.sh): Rust library + C shim -> build/pg<major>/pg_trickle.so and its bundle
# build/pg_trickle-pg<major>.tar.gz, one for each PostgreSQL major. The Rust library knows no PostgreSQL header and is
# built once.
#
#   build-wasm.sh                  all of it
#   build-wasm.sh --dev MAJOR...   only these majors, into build/dev, built for speed of building and not for size
#   build-wasm.sh --check-c FILE   compiles FILE for each major, with the flags of the shim, and keeps nothing
source "$(dirname "$0")/lib.sh"
cd "$repo"

triple=wasm32-unknown-unknown # -emscripten's std wants pthread symbols that PGlite does not export
profile=release
target=target/wasm
build=build
# -Oz would put functions with one caller into it before build_module has its say.
link_flags=(-O1 --profiling-funcs)
is_dev=
if [ "${1:-}" = --dev ]; then
  is_dev=1
  link_flags=(-O0)
  profile=dev-wasm
  target=target/wasm-dev
  build=build/dev
  pg_majors=("${@:2}")
fi
library=$target/$triple/$profile/libpg_trickle_pglite.a

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
    # No message prints a value by `{:?}` (clippy::use_debug), nor the line of the source that it comes from.
    -Z fmt-debug=none
    -Z location-detail=none
    # What is dropped frees memory and plans and does not panic, so nothing need be cleaned up after it if it did: 16 KB less.
    -Z panic-in-drop=abort
    # Two builds in different folders give the same bytes.
    --remap-path-prefix="$repo=/pg_trickle"
    --remap-path-prefix="$rust_src=/rust"
  )
  # Cargo separates flags by 0x1f in this variable, so that a path may hold a space.
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target \
    cargo build --profile "$profile" --locked -p pg_trickle_pglite --target "$triple" \
    -Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind,optimize_for_size "${std_from[@]}"
}

# exports_of FLAGS...: the symbols that PostgreSQL looks up. Every `PG_FUNCTION_INFO_V1(name)` of the shim declares
# a function pg_finfo_name, whatever macro it stands in.
exports_of() {
  emcc -E "$@" shim/*.c | grep -o -E '\bpg_finfo_[A-Za-z0-9_]+' | sort -u |
    sed 's/^pg_finfo_\(.*\)/_\1,_pg_finfo_\1/' | paste -s -d , | sed 's/^/_Pg_magic_func,__PG_init,/'
}

compile_c() {
  local major=$1 source=$2 object=$3
  emcc -c "${c_flags[@]}" -isystem "$PG_HEADERS/$major/usr/include/postgresql/$major/server" "$source" -o "$object"
}

build_module() {
  local major=$1 out=$build/pg$1 source objects=() exports
  mkdir -p "$out"
  for source in shim/*.c; do
    objects+=("$out/$(basename "$source" .c).o")
    compile_c "$major" "$source" "${objects[-1]}"
  done
  exports=$(exports_of "${c_flags[@]}" -isystem "$PG_HEADERS/$major/usr/include/postgresql/$major/server")
  emcc "${link_flags[@]}" "$longjmp" -sSIDE_MODULE=2 -sEXPORTED_FUNCTIONS="$exports" -Wl,--experimental-pic \
    "${objects[@]}" "$library" -o "$out/linked.wasm"
  if [ -n "$is_dev" ]; then
    mv "$out/linked.wasm" "$out/pg_trickle.so"
    return
  fi
  # A function with one caller stays a function, unless it is tiny: inlined it takes fewer bytes, which compress worse. 35 KB
  # less. Accesses that promise no alignment, which no engine asks for, compress better. GUFA follows what values can be
  # where, through the whole module.
  wasm-opt "${wasm_features[@]}" --one-caller-inline-max-function-size=20 -Oz --gufa -Oz --dealign --debuginfo \
    "$out/linked.wasm" -o "$out/named.wasm" # the names are for the size report
  order_functions "$out/named.wasm" "$out/pg_trickle.so" "${wasm_features[@]}"
}

# Entry names have no leading ./ (PGlite would not find the files), owners and times are fixed: one content, one
# sequence of bytes. zopfli writes what every gunzip reads, a twentieth smaller than `gzip -9`.
bundle() {
  local files=$build/pg$1/bundle out=$build/pg_trickle-pg$1.tar.gz sql
  rm -rf "$files"
  mkdir -p "$files/lib/postgresql" "$files/share/postgresql/extension"
  cp "$build/pg$1/pg_trickle.so" "$files/lib/postgresql/"
  cp shim/*.control "$files/share/postgresql/extension/"
  # Comments and indentation are for those who read the source.
  for sql in shim/*.sql; do
    sed -E '/^(--.*)?$/d; s/^ +//; s/ +-- .*$//' "$sql" >"$files/share/postgresql/extension/${sql#shim/}"
  done
  chmod -R u=rwX,go=rX "$files"
  (cd "$files" && find . -type f -printf '%P\0' | LC_ALL=C sort -z |
    tar --create --null --files-from=- --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@0) \
    >"$files.tar"
  if [ -n "$is_dev" ]; then
    gzip -n -1 -c "$files.tar" >"$out.new"
  else
    zopfli --i25 -c "$files.tar" >"$out.new"
  fi
  mv "$out.new" "$out"
}

# What this build is made with, in the format of ci/toolchain.versions. Versions that a tool does not tell are left out.
record_versions() {
  local major header
  found_version emscripten "$(version_of emcc --version)"
  found_version clang "$(version_of "$(em-config LLVM_ROOT)/clang" --version)"
  found_version rustc "$(version_of rustc --version)"
  found_version binaryen "$(version_of wasm-opt --version)"
  found_version zopfli "$(version_of dpkg-query -W zopfli)" # it has no --version
  found_version wasm-bindgen "$(version_of wasm-bindgen --version)"
  for major in "${pg_majors[@]}"; do
    header=$PG_HEADERS/$major/usr/include/postgresql/$major/server/pg_config.h
    found_version "postgresql-$major-headers" "$(sed -n 's/^#define PG_VERSION "\(.*\)"$/\1/p' "$header")"
  done
}

found_version() { [ -z "$2" ] || echo "tool $1 $2"; }

longjmp=-sSUPPORT_LONGJMP=emscripten # the host has no exception tag for the other way
# What PGlite's own module and every engine it runs on have; no more, or the optimiser may use it.
wasm_features=(
  --mvp-features --enable-mutable-globals --enable-sign-ext --enable-bulk-memory --enable-bulk-memory-opt
  --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types --enable-exception-handling
)

c_flags=(
  -Oz -fPIC -fvisibility=hidden -std=gnu17 -fno-strict-aliasing -fwrapv "$longjmp"
  # A callback has parameters because its caller passes them. PostgreSQL's headers are system headers, so that only
  # our own warnings count.
  -Wall -Wextra -Werror -Wno-unused-parameter
  -ffile-prefix-map="$repo=/pg_trickle"
)

if [ "${1:-}" = --check-c ]; then
  for major in "${pg_majors[@]}"; do compile_c "$major" "$2" /dev/null; done
  exit
fi
mkdir -p build
record_versions >build/toolchain.versions
build_rust
for major in "${pg_majors[@]}"; do
  build_module "$major"
  bundle "$major"
done
