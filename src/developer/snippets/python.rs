//! Python 3, with nothing but its library.

use std::fmt::Write;

use crate::developer::call::{Call, Value};
use crate::developer::snippets::{double_quoted, expression};

pub(crate) fn program(call: &Call) -> String {
    let mut text = String::new();
    let has_variables = call.values().any(|value| matches!(value, Value::Variable(_)));
    for (module, is_used) in [
        ("base64", call.uses_basic()),
        ("json", true),
        ("os", has_variables),
        ("urllib.parse", call.token.is_some()),
        ("urllib.request", true),
    ] {
        if is_used {
            let _ = writeln!(text, "import {module}");
        }
    }
    if call.uses_basic() {
        text.push_str(
            "\n\ndef basic(name, secret):\n    \
             return \"Basic \" + base64.b64encode(f\"{name}:{secret}\".encode()).decode()\n\n",
        );
    }
    text.push('\n');
    if let Some(token) = &call.token {
        let _ = writeln!(text, "form = {{");
        for (name, value) in &token.form {
            let _ = writeln!(text, "    \"{name}\": {},", value_of(value));
        }
        let _ = writeln!(text, "}}\nrequest = urllib.request.Request(");
        let _ = writeln!(text, "    {},\n    data=urllib.parse.urlencode(form).encode(),", double_quoted(&token.url));
        if let Some(basic) = &token.basic {
            let _ = writeln!(text, "    headers={{\"Authorization\": {}}},", basic_of(basic));
        }
        text.push_str(
            ")\nwith urllib.request.urlopen(request) as answer:\n    token = json.load(answer)[\"access_token\"]\n\n",
        );
    }
    text.push_str("headers = {\n");
    if call.token.is_some() {
        text.push_str("    \"Authorization\": f\"Bearer {token}\",\n");
    }
    if let Some(basic) = &call.basic {
        let _ = writeln!(text, "    \"Authorization\": {},", basic_of(basic));
    }
    for (name, value) in &call.headers {
        let _ = writeln!(text, "    \"{name}\": {},", value_of(value));
    }
    let _ = writeln!(text, "}}\nrequest = urllib.request.Request({}, headers=headers)", double_quoted(&call.url));
    text + "with urllib.request.urlopen(request) as answer:\n    print(json.dumps(json.load(answer)))\n"
}

fn value_of(value: &Value) -> String {
    expression(value, |name| format!("os.environ[\"{name}\"]"))
}

fn basic_of((name, secret): &(Value, Value)) -> String {
    format!("basic({}, {})", value_of(name), value_of(secret))
}
