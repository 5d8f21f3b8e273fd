//! Java 11 or later: `java WhoAmI.java`.

use std::fmt::Write;

use crate::developer::call::{Call, Value};
use crate::developer::snippets::{double_quoted, expression};

pub(crate) fn program(call: &Call) -> String {
    let mut text = String::new();
    let (basic, token) = (call.uses_basic(), call.token.is_some());
    for (name, is_used) in [
        ("java.net.URI", true),
        ("java.net.URLEncoder", token),
        ("java.net.http.HttpClient", true),
        ("java.net.http.HttpRequest", true),
        ("java.net.http.HttpRequest.BodyPublishers", token),
        ("java.net.http.HttpResponse.BodyHandlers", true),
        ("java.nio.charset.StandardCharsets", basic || token),
        ("java.util.Base64", basic),
    ] {
        if is_used {
            let _ = writeln!(text, "import {name};");
        }
    }
    text.push_str("\npublic class WhoAmI {\n");
    if basic {
        text.push_str(
            "    static String basic(String name, String secret) {\n        \
             var pair = (name + \":\" + secret).getBytes(StandardCharsets.UTF_8);\n        \
             return \"Basic \" + Base64.getEncoder().encodeToString(pair);\n    }\n\n",
        );
    }
    if token {
        text.push_str(
            "    static String field(String name, String value) {\n        \
             return name + \"=\" + URLEncoder.encode(value, StandardCharsets.UTF_8);\n    }\n\n",
        );
    }
    text.push_str(
        "    static String send(HttpRequest request) throws Exception {\n        \
         var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());\n        \
         if (answer.statusCode() != 200) {\n            \
         throw new IllegalStateException(answer.statusCode() + \" \" + answer.body());\n        }\n        \
         return answer.body();\n    }\n\n    public static void main(String[] arguments) throws Exception {\n",
    );
    if let Some(token) = &call.token {
        let fields: Vec<String> =
            token.form.iter().map(|(name, value)| format!("field(\"{name}\", {})", value_of(value))).collect();
        let _ =
            writeln!(text, "        var form = String.join(\"&\",\n            {});", fields.join(",\n            "));
        let _ = writeln!(
            text,
            "        var tokens = send(HttpRequest.newBuilder(URI.create({}))",
            double_quoted(&token.url)
        );
        text.push_str("            .header(\"Content-Type\", \"application/x-www-form-urlencoded\")\n");
        if let Some(basic) = &token.basic {
            let _ = writeln!(text, "            .header(\"Authorization\", {})", basic_of(basic));
        }
        text.push_str(
            "            .POST(BodyPublishers.ofString(form)).build());\n        \
             var token = tokens.replaceFirst(\"(?s).*\\\"access_token\\\":\\\"([^\\\"]+)\\\".*\", \"$1\");\n",
        );
    }
    let _ = writeln!(
        text,
        "        System.out.println(send(HttpRequest.newBuilder(URI.create({}))",
        double_quoted(&call.url)
    );
    if token {
        text.push_str("            .header(\"Authorization\", \"Bearer \" + token)\n");
    }
    if let Some(basic) = &call.basic {
        let _ = writeln!(text, "            .header(\"Authorization\", {})", basic_of(basic));
    }
    for (name, value) in &call.headers {
        let _ = writeln!(text, "            .header(\"{name}\", {})", value_of(value));
    }
    text + "            .build()));\n    }\n}\n"
}

fn value_of(value: &Value) -> String {
    expression(value, |name| format!("System.getenv(\"{name}\")"))
}

fn basic_of((name, secret): &(Value, Value)) -> String {
    format!("basic({}, {})", value_of(name), value_of(secret))
}
