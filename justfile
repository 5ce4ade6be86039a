# Without `just` on your machine: `npm run just -- RECIPE`, or `npx rust-just RECIPE`. What a recipe needs is installed
# and built first, as with the npm scripts.

_default:
    @{{ just_executable() }} --list --unsorted

# Everything that needs no module, in a minute: format, clippy, golden files, Rust tests, types
check:
    ci/check.sh

# A quick build for one PostgreSQL and one test file against it: just dev windows pg17
dev *options:
    ci/dev.sh {{ options }}

# Update the core's golden files; git diff shows what changed
golden:
    UPDATE_GOLDEN=1 ci/toolchain.sh env CARGO_TARGET_DIR=target/native cargo test -p pg_trickle_core --test compile_golden

# Small changes of the core that no native test notices (cargo install cargo-mutants): just mutants -f '**/top.rs'
mutants *options:
    mkdir -p build
    cargo mutants --package pg_trickle_core --jobs 1 --output build {{ options }} -- --tests

# Side modules, bundles and the npm package, whatever is out of date
build:
    npm run build

# The extension for servers, PostgreSQL 17 and 18, in build/native: docs/NATIVE.md
native:
    ci/build-native.sh

# Everything: build, gates, Rust and TypeScript tests
test:
    npm test

# The Rust tests alone
test-core:
    ci/with-setup.sh node ci/run-tests.mjs rust

# The TypeScript tests alone, on every PGlite
test-ts:
    ci/with-build.sh node ci/run-tests.mjs ts

# The tests in Chromium alone
test-browser:
    ci/with-build.sh node ci/run-tests.mjs browser

# The TypeScript tests on native servers, and several sessions: MAJOR=17 just test-native tests/windows.test.ts
test-native *options:
    ci/build-native.sh --dev
    cd ts && NATIVE=1 PG_TRICKLE_NATIVE=build/native-dev ../ci/with-build.sh npx vitest run --project "native${MAJOR:-*}" {{ options }}

# What `npm pack` makes, in an empty project: Node, TypeScript, and the apps that bundlers build from it
test-package:
    ci/with-build.sh node ci/run-tests.mjs package

# The same with Next, which is not among all tests: it takes half a gigabyte of downloads and minutes
test-next:
    cd ts && ../ci/with-build.sh npx vitest run --project next

# Stream tables over real data
demo *options:
    ci/with-build.sh node examples/demo/demo.mjs {{ options }}

# The documentation as a site, in build/site: just docs --repository https://github.com/OWNER/NAME --base /NAME/
docs *options:
    ci/with-setup.sh node docs/site/build.mjs {{ options }}

# The pictures of the dashboard in the README, light and dark
pictures:
    ci/with-build.sh node examples/react-dashboard/pictures.mjs

# PostgreSQL 18 in a Rust program with stream tables, changed at random: just rust-embedded --seed 7; --measure takes times
rust-embedded *options:
    ci/build-native.sh
    ci/rust-embedded.sh {{ options }}

# Time per change, beside hand-written triggers and live queries
bench *options:
    ci/with-build.sh node bench/run.mjs {{ options }}

# From nothing to the first stream table, in Node; `just test-browser` prints it for Chromium
cold-start *options:
    ci/with-build.sh node bench/cold-start.mjs {{ options }}

# How long PGlite starts with @pgtrickle/pglite/static, beside PGlite as it is
static-start *options:
    ci/with-build.sh node bench/static-start.mjs {{ options }}

# TPC-H: all 22 queries at once under changes of all tables, and times: just tpch --scale 0.1
tpch *options:
    ci/with-build.sh node bench/tpch/run.mjs {{ options }}

# Tuples that the maintenance of a one-row change reads, by operator, in small and large tables
tuples *options:
    ci/with-build.sh node bench/tuples.mjs {{ options }}

# A bulk load under a stream table, beside loading and then creating it, by operator
bulk *options:
    ci/with-build.sh node bench/bulk.mjs {{ options }}

# Changes of one row up to all, where groups grow with the table, beside running the query again and storing the
# difference: just skew --sizes 100000 --only 'left join'
skew *options:
    ci/with-build.sh node bench/skew.mjs {{ options }}

# What stream tables take of the memory; `just memory --fill 64,128,256 --cap` fills heaps until the guard fires, for an hour
memory *options:
    ci/with-build.sh node bench/memory.mjs {{ options }}

# CPU time of a change, in WebAssembly and natively; `just wasm-native --record` writes docs/WASM_VS_NATIVE.md and its plot
wasm-native *options:
    ci/build-native.sh
    ci/with-build.sh node bench/wasm-native.mjs {{ options }}

# Heaps filled until the guard fires, with 16 MB to take until then: LEFT=4 just memory-stress --project pg17
memory-stress *options:
    cd ts && LEFT=${LEFT:-16} ../ci/with-build.sh npx vitest run tests/memory-stress.test.ts {{ options }}

# Writes that a stream table can follow, by size of the tables
rate *options:
    ci/with-build.sh node bench/rate.mjs {{ options }}

# Creating, changing and dropping a stream table 2,000 times takes no memory
memory-rounds:
    cd ts && ROUNDS=2000 ../ci/with-build.sh npx vitest run tests/memory.test.ts -t 'takes nothing' --project pg18

# Time from a change to the callback that tells it, beside live queries, pg_ivm and TanStack DB; `just subscribe --record`
# writes figures and plot into docs
subscribe *options:
    ci/with-build.sh node --max-old-space-size=8192 bench/subscribe/run.mjs {{ options }}

# What a feed costs the writer and the reader
feed *options:
    ci/with-build.sh node bench/feed.mjs {{ options }}

# Random queries and changes against the oracle: SEED=7 ROUNDS=500 just fuzz
fuzz:
    cd ts && ../ci/with-build.sh npx vitest run tests/random/

# Random statements of every kind in random transactions: SEED=7 ROUNDS=500 just fuzz-statements
fuzz-statements:
    cd ts && ../ci/with-build.sh npx vitest run tests/random-statements

# The random testers on native servers: SEED=7 ROUNDS=500 just fuzz-native; MINUTES=60 goes on with further seeds
fuzz-native *options:
    ci/build-native.sh
    ci/with-build.sh node ci/fuzz-native.mjs {{ options }}

# The same under AddressSanitizer and UndefinedBehaviorSanitizer: MINUTES=60 just fuzz-sanitized
fuzz-sanitized *options:
    ci/build-native.sh --sanitize
    PG_TRICKLE_NATIVE=build/native-sanitized ci/with-build.sh node ci/fuzz-native.mjs {{ options }}

# Every allocation refused, the heap full, every entry panicking, for hours: just faults --project pg17
faults *options:
    cd ts && FAULTS=all HEAPS=60 ../ci/with-build.sh npx vitest run tests/faults {{ options }}

# Everything at once for two hours, or as many minutes as you say: random statements, kills, refused allocations, full
# heaps, the guard, panics: MINUTES=600 SEED=7 just endurance --project pg17
endurance *options:
    cd ts && MINUTES=${MINUTES:-120} ../ci/with-build.sh npx vitest run tests/endurance {{ options }}

# Twenty clients of `pgtrickle serve` that write, fail and die for ten minutes: MINUTES=1 SEED=7 just serve-load --project pg17
serve-load *options:
    cd ts && MINUTES=${MINUTES:-10} ../ci/with-build.sh npx vitest run tests/serve/load.test.ts {{ options }}

# `pgtrickle serve` with every driver that can be had here, and the example in Elixir; `just drivers --record` writes the table of docs/HOSTS.md
drivers *options:
    ci/with-build.sh node ts/tests/drivers/run.mjs {{ options }}

# PostgreSQL's regression queries as stream tables, from its folder src/test/regress: PGLITE=pglite-0.4 just suite-postgres DIR
suite-postgres directory *options:
    cd ts && ../ci/with-build.sh npx vite-node tests/suites/run.ts {{ absolute_path(directory) }} {{ options }}

# Format all sources
fmt:
    npm run fmt

# rustfmt, clippy, prettier, eslint and the C compiler's warnings
lint:
    ci/with-setup.sh node ci/gates.mjs rust javascript c-warnings

# One version in npm package, crates, control file and SQL file
check-version-sync:
    ci/with-setup.sh node ci/gates.mjs versions

# Sizes by section and crate; `just sizes --record` makes them the baseline
sizes *options:
    ci/with-build.sh node ci/gates.mjs sizes {{ options }}

# What the modules import is there in the oldest and newest PGlite of each line
imports:
    ci/with-build.sh node ci/gates.mjs imports

# Two builds of the last commit give the same bytes
reproducible:
    ci/reproducible.sh

# Remove what was built here; the toolchain in the cache folder stays
clean:
    rm -rf build target ts/dist
