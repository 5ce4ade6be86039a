#!/usr/bin/env bash
# Installs the npm packages of the lockfile, unless they are installed already.
source "$(dirname "$0")/lib.sh"
cd "$repo"

command -v node >/dev/null || die 'Node.js 20.19 or newer is needed'
version_at_least "$(node --version | tr -d v)" 20.19 || die "Node.js 20.19 or newer is needed, this is $(node --version)"

install() {
  local stamp=node_modules/.installed
  [ "$(sha256sum package-lock.json)" != "$(cat "$stamp" 2>/dev/null)" ] || return 0
  # `npm ci` would take the packages away from whatever is using them.
  if [ -d node_modules ]; then
    step 'npm packages, brought up to date' npm install --no-audit --no-fund
  else
    step 'npm packages' npm ci --no-audit --no-fund
  fi
  sha256sum package-lock.json >"$stamp"
}

with_lock "$repo/build/npm.lock" install
