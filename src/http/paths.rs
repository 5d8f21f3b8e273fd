//! The form in which a face of this server lists its paths, each once.

/// The paths: methods and name in the metrics once, and what answers each method.
macro_rules! paths {
    ($($path:literal, $methods:literal, $name:literal => $($method:ident $handler:path),+;)+) => {
        /// Path, methods, name in the metrics.
        pub const TABLE: &[(&str, &str, &str)] = &[$(($path, $methods, $name)),+];

        /// Registers the paths.
        pub fn register(routes: &mut actix_web::web::ServiceConfig) {
            $(routes.service(
                $crate::http::routes::resource($path)$(.route($crate::http::paths::paths!(@ $method).to($handler)))+
            );)+
        }
    };
    (@ get) => { $crate::http::routes::read() };
    (@ post) => { actix_web::web::post() };
    (@ put) => { actix_web::web::put() };
    (@ patch) => { actix_web::web::patch() };
    (@ delete) => { actix_web::web::delete() };
}

pub(super) use paths;
