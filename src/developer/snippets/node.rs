//! Node 18 or later, which has `fetch`.

use std::fmt::Write;

use crate::developer::call::{Call, Value};
use crate::developer::snippets::{double_quoted, expression};

pub(crate) fn program(call: &Call) -> String {
    let mut text = String::new();
    if call.uses_basic() {
        text.push_str(
            "const basic = (name, secret) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`\n\n",
        );
    }
    text.push_str(
        "async function send(url, options) {\n  const answer = await fetch(url, options)\n  \
         if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)\n  return answer.json()\n}\n\n",
    );
    if let Some(token) = &call.token {
        let _ = writeln!(
            text,
            "const {{ access_token }} = await send({}, {{\n  method: 'POST',",
            double_quoted(&token.url)
        );
        if let Some(basic) = &token.basic {
            let _ = writeln!(text, "  headers: {{ Authorization: {} }},", basic_of(basic));
        }
        text.push_str("  body: new URLSearchParams({\n");
        for (name, value) in &token.form {
            let _ = writeln!(text, "    {name}: {},", value_of(value));
        }
        text.push_str("  }),\n})\n\n");
    }
    let _ = writeln!(text, "const me = await send({}, {{\n  headers: {{", double_quoted(&call.url));
    if call.token.is_some() {
        text.push_str("    Authorization: `Bearer ${access_token}`,\n");
    }
    if let Some(basic) = &call.basic {
        let _ = writeln!(text, "    Authorization: {},", basic_of(basic));
    }
    for (name, value) in &call.headers {
        let _ = writeln!(text, "    '{name}': {},", value_of(value));
    }
    text + "  },\n})\nconsole.log(JSON.stringify(me))\n"
}

fn value_of(value: &Value) -> String {
    expression(value, |name| format!("process.env.{name}"))
}

fn basic_of((name, secret): &(Value, Value)) -> String {
    format!("basic({}, {})", value_of(name), value_of(secret))
}
