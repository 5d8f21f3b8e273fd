//! What actix-web alone costs: a form is parsed, a JSON text of a token's size is answered, and nothing is checked.
//!
//! `run` measures it beside Grantor in the same run. It is the yardstick: what a request costs above this is Grantor's own.

// A program for the terminal.
#![allow(clippy::print_stderr)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{App, HttpResponse, HttpServer, web};

#[derive(serde::Deserialize)]
struct Form {
    grant_type: String,
}

#[derive(serde::Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
}

/// As long as an access token, and never the same twice: the load generator refuses the answer of before.
fn answer(number: u64) -> Answer {
    Answer { access_token: format!("{number:0600}"), token_type: "Bearer", expires_in: 3600 }
}

async fn form(form: web::Form<Form>, counter: web::Data<AtomicU64>) -> HttpResponse {
    if form.grant_type.is_empty() {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Ok().json(answer(counter.fetch_add(1, Ordering::Relaxed)))
}

async fn fixed() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"keys":[]}"#)
}

fn main() -> ExitCode {
    // `cargo bench` adds --bench.
    let port = std::env::args().skip(1).find(|argument| argument != "--bench").and_then(|port| port.parse().ok());
    let Some(port) = port else {
        eprintln!("bare PORT");
        return ExitCode::FAILURE;
    };
    let served = actix_web::rt::System::new().block_on(async move {
        let counter = web::Data::new(AtomicU64::new(0));
        HttpServer::new(move || {
            App::new()
                .app_data(counter.clone())
                .route("/token", web::post().to(form))
                .route("/fixed", web::get().to(fixed))
        })
        .workers(1)
        .bind(("127.0.0.1", port))?
        .run()
        .await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}
