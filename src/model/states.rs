//! The one way in which this project writes a closed set of words: an enum and the text that stands for each of
//! its members on the wire, on the command line and in the database.

/// A word that is not one of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not one of: {accepted}")]
pub struct UnknownWord {
    /// What was given.
    pub given: String,
    /// The words that are accepted, separated by commas.
    pub accepted: String,
}

/// Defines an enum whose members have fixed texts.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$member_meta:meta])* $member:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$member_meta])* $member),+ }

        impl $name {
            /// Every member, in the order of definition.
            pub const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The text that stands for this member.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::states::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|member| member.as_str() == text).ok_or_else(|| {
                    $crate::model::states::UnknownWord {
                        given: text.chars().take(60).collect(),
                        accepted: Self::ALL.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
