//! The flowtruth command line.
fn main() {}
