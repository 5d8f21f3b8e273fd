//! What holds for every sequence of events, and for every input that is kept.

mod client_secrets;
mod corpus;
mod families;
mod limits;

use crate::harness::times;

/// How many cases are put to the test: `GRANTOR_TEST_CASES`, or these few.
fn cases(few: u32) -> u32 {
    u32::try_from(times("GRANTOR_TEST_CASES", few.into())).unwrap()
}

/// What the real thing says is what the model says; where it is not, the case has failed.
macro_rules! hold {
    ($left:expr, $right:expr, $($what:tt)+) => {
        let (left, right) = ($left, $right);
        if left != right {
            return Err(format!("{}: {left:?}, but the model says {right:?}", format!($($what)+)));
        }
    };
}
use hold;
