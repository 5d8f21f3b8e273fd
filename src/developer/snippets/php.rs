//! PHP 8, with its curl extension.

use std::fmt::Write;

use crate::developer::call::{Call, Value};

const SEND: &str = r"<?php

function send(string $url, array $headers, ?array $form = null): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers]);
    if ($form !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, http_build_query($form));
    }
    $body = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status !== 200) {
        throw new RuntimeException($status . ' ' . ($body ?: curl_error($curl)));
    }
    return json_decode($body, true, flags: JSON_THROW_ON_ERROR);
}

";

pub(crate) fn program(call: &Call) -> String {
    let mut text = SEND.to_owned();
    if let Some(token) = &call.token {
        let _ = writeln!(text, "$form = [");
        for (name, value) in &token.form {
            let _ = writeln!(text, "    '{name}' => {},", value_of(value));
        }
        text.push_str("];\n");
        let headers = token.basic.as_ref().map(authorization).unwrap_or_default();
        let _ = writeln!(text, "$tokens = send({}, [{headers}], $form);\n", single_quoted(&token.url));
    }
    let mut headers = Vec::new();
    if call.token.is_some() {
        headers.push("'Authorization: Bearer ' . $tokens['access_token']".to_owned());
    }
    headers.extend(call.basic.as_ref().map(authorization));
    for (name, value) in &call.headers {
        headers.push(format!("'{name}: ' . {}", value_of(value)));
    }
    let headers: Vec<String> = headers.iter().map(|header| format!("    {header},\n")).collect();
    let _ = writeln!(text, "$me = send({}, [\n{}]);", single_quoted(&call.url), headers.concat());
    text + "echo json_encode($me), \"\\n\";\n"
}

fn authorization((name, secret): &(Value, Value)) -> String {
    format!("'Authorization: Basic ' . base64_encode({} . ':' . {})", value_of(name), value_of(secret))
}

fn value_of(value: &Value) -> String {
    match value {
        Value::Known(text) => single_quoted(text),
        Value::Variable(name) => format!("getenv('{name}')"),
    }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
