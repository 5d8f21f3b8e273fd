//! A shell, with curl and sed.

use crate::developer::call::{Call, Value};

pub(crate) fn program(call: &Call) -> String {
    let mut text = String::new();
    if let Some(token) = &call.token {
        let mut arguments = vec!["curl -sS --fail-with-body".to_owned()];
        arguments.extend(token.basic.as_ref().map(|basic| format!("-u {}", pair(basic))));
        for (name, value) in &token.form {
            arguments.push(format!("--data-urlencode {}", word(&[&Value::Known(format!("{name}=")), value])));
        }
        arguments.push(word(&[&Value::Known(token.url.clone())]));
        let arguments = arguments.join(" \\\n  ");
        text = format!("token=$({arguments} \\\n  | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\n");
    }
    let mut arguments = vec!["curl -sS --fail-with-body".to_owned()];
    if call.token.is_some() {
        arguments.push("-H \"Authorization: Bearer $token\"".to_owned());
    }
    arguments.extend(call.basic.as_ref().map(|basic| format!("-u {}", pair(basic))));
    for (name, value) in &call.headers {
        arguments.push(format!("-H {}", word(&[&Value::Known(format!("{name}: ")), value])));
    }
    arguments.push(word(&[&Value::Known(call.url.clone())]));
    text + &arguments.join(" \\\n  ") + "\n"
}

fn pair((name, secret): &(Value, Value)) -> String {
    word(&[name, &Value::Known(":".to_owned()), secret])
}

/// One word of the shell: what is known in single quotes, variables in double ones.
fn word(parts: &[&Value]) -> String {
    let mut whole = String::new();
    let mut known = String::new();
    for part in parts {
        match part {
            Value::Known(text) => known.push_str(text),
            Value::Variable(name) => {
                whole.push_str(&single_quoted(&std::mem::take(&mut known)));
                for part in ["\"$", name, "\""] {
                    whole.push_str(part);
                }
            }
        }
    }
    whole + &single_quoted(&known)
}

fn single_quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
