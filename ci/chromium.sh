#!/usr/bin/env bash
# Prints the path of a Chromium for the browser tests: $CHROMIUM, or the one on PATH. Where there is none, root gets
# Debian's from apt-get, once.
source "$(dirname "$0")/lib.sh"

apt=(apt-get -q -y -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)

on_path() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return
  done
  return 1
}

install() {
  ! on_path >/dev/null || return 0
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    die 'the browser tests need Chromium: put it on PATH, or its path into the variable CHROMIUM'
  step 'Package lists' "${apt[@]}" update
  step 'Installing Chromium' env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --no-install-recommends chromium
}

on_path && exit
with_lock "$cache/chromium.lock" install >&2
on_path || die 'Chromium was installed, but it is not on PATH'
