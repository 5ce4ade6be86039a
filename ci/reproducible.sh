#!/usr/bin/env bash
# Builds the modules of the last commit twice, in two fresh folders, and compares every byte.
source "$(dirname "$0")/lib.sh"
cd "$repo"

commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folders=("$work/a" "$work/another folder, with a longer name")
for folder in "${folders[@]}"; do
  git clone --quiet --no-local --no-checkout "$repo" "$folder"
  git -C "$folder" checkout --quiet --detach "$commit"
  "$folder/ci/build.sh" --wasm
done

different=0
for major in "${pg_majors[@]}"; do
  for file in "build/pg$major/pg_trickle.so" "build/pg_trickle-pg$major.tar.gz"; do
    if cmp "${folders[0]}/$file" "${folders[1]}/$file"; then
      printf '%s  %s\n' "$(sha256sum <"${folders[0]}/$file" | cut -d ' ' -f 1)" "$file"
    else
      different=1
    fi
  done
done
[ "$different" = 0 ] || die 'two builds of one commit differ'
say "${commit:0:7}: two builds, the same bytes"
