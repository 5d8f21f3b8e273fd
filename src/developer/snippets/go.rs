//! Go, with nothing but its library.

use std::fmt::Write;

use crate::developer::call::{Call, Value};
use crate::developer::snippets::{double_quoted, expression};

const SEND: &str = r#"func send(request *http.Request) []byte {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status, " ", string(body), " ", err)
	}
	return body
}

func main() {
"#;

pub(crate) fn program(call: &Call) -> String {
    let mut text = "package main\n\nimport (\n".to_owned();
    let has_variables = call.values().any(|value| matches!(value, Value::Variable(_)));
    let token = call.token.is_some();
    for (package, is_used) in [
        ("encoding/json", token),
        ("fmt", true),
        ("io", true),
        ("log", true),
        ("net/http", true),
        ("net/url", token),
        ("os", has_variables),
        ("strings", token),
    ] {
        if is_used {
            let _ = writeln!(text, "\t\"{package}\"");
        }
    }
    let _ = write!(text, ")\n\n{SEND}");
    if let Some(token) = &call.token {
        text.push_str("\tform := url.Values{}\n");
        for (name, value) in &token.form {
            let _ = writeln!(text, "\tform.Set(\"{name}\", {})", value_of(value));
        }
        let body = "strings.NewReader(form.Encode())";
        let _ =
            writeln!(text, "\trequest, err := http.NewRequest(http.MethodPost, {}, {body})", double_quoted(&token.url));
        text.push_str("\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n");
        text.push_str("\trequest.Header.Set(\"Content-Type\", \"application/x-www-form-urlencoded\")\n");
        if let Some(basic) = &token.basic {
            let _ = writeln!(text, "\trequest.SetBasicAuth({})", pair(basic));
        }
        text.push_str(
            "\tvar tokens struct {\n\t\tAccessToken string `json:\"access_token\"`\n\t}\n\t\
             if err := json.Unmarshal(send(request), &tokens); err != nil {\n\t\tlog.Fatal(err)\n\t}\n\n",
        );
    }
    let _ = writeln!(text, "\tme, err := http.NewRequest(http.MethodGet, {}, nil)", double_quoted(&call.url));
    text.push_str("\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n");
    if token {
        text.push_str("\tme.Header.Set(\"Authorization\", \"Bearer \"+tokens.AccessToken)\n");
    }
    if let Some(basic) = &call.basic {
        let _ = writeln!(text, "\tme.SetBasicAuth({})", pair(basic));
    }
    for (name, value) in &call.headers {
        let _ = writeln!(text, "\tme.Header.Set(\"{name}\", {})", value_of(value));
    }
    text + "\tfmt.Println(string(send(me)))\n}\n"
}

fn value_of(value: &Value) -> String {
    expression(value, |name| format!("os.Getenv(\"{name}\")"))
}

fn pair((name, secret): &(Value, Value)) -> String {
    format!("{}, {}", value_of(name), value_of(secret))
}
