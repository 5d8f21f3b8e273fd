//! The form in which a face of this server lists its paths, each once.

/// The prefix that most of the paths have; then the paths: methods and name in the metrics once, and what answers each
/// method. What is below the prefix is one entry of the server's router, which takes patterns apart one after the other:
/// no other request pays for them.
macro_rules! paths {
    (below $prefix:literal; $($path:literal, $methods:literal, $name:literal => $($method:ident $handler:path),+;)+) => {
        /// Path, methods, name in the metrics.
        pub const TABLE: &[(&str, &str, &str)] = &[$(($path, $methods, $name)),+];

        /// Registers the paths.
        pub fn register(routes: &mut actix_web::web::ServiceConfig) {
            let mut below = actix_web::web::scope($prefix);
            $(
                let rest = $path.strip_prefix($prefix);
                let resource = $crate::http::routes::resource(rest.unwrap_or($path))
                    $(.route($crate::http::paths::paths!(@ $method).to($handler)))+;
                match rest {
                    Some(_) => below = below.service(resource),
                    None => { routes.service(resource); }
                }
            )+
            routes.service(below);
        }
    };
    (@ get) => { $crate::http::routes::read() };
    (@ post) => { actix_web::web::post() };
    (@ put) => { actix_web::web::put() };
    (@ patch) => { actix_web::web::patch() };
    (@ delete) => { actix_web::web::delete() };
}

pub(super) use paths;
