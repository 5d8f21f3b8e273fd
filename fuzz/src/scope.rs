//! Scope as it travels (RFC 6749 §3.3).

use std::collections::BTreeSet;

use grantor::model::scope::{ScopeSet, is_scope_token};

/// The input is the value of a parameter `scope`.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let tokens: BTreeSet<&str> = text.split(' ').filter(|token| !token.is_empty()).collect();
    assert!(tokens.iter().all(|token| is_scope_token(token) == is_of_the_grammar(token)));
    let Ok(set) = ScopeSet::parse(text) else {
        assert!(!tokens.iter().all(|token| is_of_the_grammar(token)), "a scope was refused");
        return;
    };
    assert!(tokens.iter().all(|token| is_of_the_grammar(token)), "no scope was read as one");
    assert!(set.iter().eq(tokens.iter().copied()), "each once, in alphabetical order");
    assert_eq!(set.is_empty(), tokens.is_empty());
    let printed = set.to_string();
    assert_eq!(printed.split(' ').filter(|_| !printed.is_empty()).count(), tokens.len(), "one space between two");
    assert_eq!(ScopeSet::parse(&printed).as_ref(), Ok(&set));
    // Subsets of small sets, which are no others.
    if tokens.len() > 8 {
        return;
    }
    assert!(tokens.iter().all(|token| set.contains(token)));
    let without_first: ScopeSet = set.iter().skip(1).collect();
    assert!(without_first.is_subset(&set) && set.is_subset(&set));
    assert_eq!(set.is_subset(&without_first), set.is_empty());
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`, and no longer than a name in the catalogue.
fn is_of_the_grammar(token: &str) -> bool {
    (1..=200).contains(&token.len())
        && token.chars().all(|one| matches!(one, '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}'))
}
