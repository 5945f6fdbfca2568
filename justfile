# Shortcuts; each is one command that can be typed by hand as well.

# The main job: onboard the sample sign-ups on an embedded SQLite.
quickstart *args:
    cargo run --release --example quickstart -- {{args}}

# The whole test suite.
test *args:
    scripts/test {{args}}

# What continuous integration runs.
ci:
    .ci/run

# The cost of the types, in instructions (needs valgrind).
bench-types:
    cargo bench --bench types

# The documentation, in a browser.
docs:
    cargo doc --no-deps --all-features --open
