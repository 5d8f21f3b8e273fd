//! What holds for every sequence of events.

mod families;
