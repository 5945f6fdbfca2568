//! Every misuse is refused by the compiler, in words that name what to do instead.
//!
//! `tests/ui/illegal` has one case for each (operation, stage) pair that the table forbids (held
//! complete by `tests/table.rs`), `tests/ui/misuse` every other mistake, `tests/ui/legal` what
//! must compile. The messages are those of the pinned compiler: look at a changed one, and take
//! it with `TRYBUILD=overwrite cargo test --test ui`.

#[test]
fn misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/illegal/*.rs");
    cases.compile_fail("tests/ui/misuse/*.rs");
    cases.pass("tests/ui/legal/*.rs");
}
