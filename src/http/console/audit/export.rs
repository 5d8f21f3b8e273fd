//! The audit log as a file: what the page's filter shows, all pages of it.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};

use crate::admin::AdminError;
use crate::admin::audit::{self, Event, Filter, From as Start, LARGEST_PAGE};
use crate::http::console::answer;
use crate::http::console::audit::page::filter;
use crate::http::console::visit::Visit;

/// The first line of a table.
const HEAD: &str =
    "time,action,actor_kind,actor,target_kind,target,organization,result,ip,request_id,details,number\r\n";

/// `GET /console/audit/export/{format}`, `csv` or `jsonl`: written page by page while it is read, so that a long log takes no memory.
pub async fn download(visit: Visit, format: web::Path<String>) -> HttpResponse {
    let is_csv = format.as_str() == "csv";
    let first = async {
        let filter = filter(&visit)?;
        let page = audit::list(visit.context(), &visit.by, &filter, Start::Newest, LARGEST_PAGE).await?;
        Ok::<_, AdminError>((filter, page))
    };
    let (filter, page) = match first.await {
        Ok(first) => first,
        Err(error) => return answer::refuse(&visit, &error),
    };
    let write = move |page: &audit::Page| -> String {
        page.events.iter().map(|event| if is_csv { row(event) } else { line(event) }).collect()
    };
    let head = if is_csv { HEAD } else { "" };
    let begin = format!("{head}{}", write(&page));
    let rest = Rest { visit, filter, next: page.next };
    let parts = futures_util::stream::unfold(Some((Some(begin), rest)), move |state| async move {
        let (ready, mut rest) = state?;
        if let Some(text) = ready {
            return Some((Ok(Bytes::from(text)), Some((None, rest))));
        }
        let before = rest.next.take()?;
        let start = Start::Before(before);
        match audit::list(rest.visit.context(), &rest.visit.by, &rest.filter, start, LARGEST_PAGE).await {
            Ok(page) => {
                rest.next = page.next;
                Some((Ok(Bytes::from(write(&page))), Some((None, rest))))
            }
            // A file that ends early must not look whole: the connection is broken off.
            Err(error) => Some((Err(std::io::Error::other(error.to_string())), None)),
        }
    });
    let (end, media_type) = if is_csv { ("csv", "text/csv; charset=utf-8") } else { ("jsonl", "application/jsonl") };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"audit.{end}\"")))
        .content_type(media_type)
        .streaming(parts)
}

struct Rest {
    visit: Visit,
    filter: Filter,
    next: Option<i64>,
}

fn line(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_default() + "\n"
}

/// RFC 4180.
fn row(event: &Event) -> String {
    let number = event.number.map(|number| number.to_string()).unwrap_or_default();
    let cells = [
        event.time.rfc3339(),
        event.action.clone(),
        event.actor_kind.clone(),
        event.actor.clone(),
        event.target_kind.clone(),
        event.target.clone(),
        event.organization.clone().unwrap_or_default(),
        event.result.clone(),
        event.ip.clone().unwrap_or_default(),
        event.request_id.clone().unwrap_or_default(),
        event.details.clone(),
        number,
    ];
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// A value that a spreadsheet would take for a formula gets a quote before it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        assert_eq!(cell("user.created"), "user.created");
        assert_eq!(cell("name=a \"b\", c"), "\"name=a \"\"b\"\", c\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}
