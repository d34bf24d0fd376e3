//! The tests of what crosses the parts live in `flows/`. This library is empty: a package needs a target.
