//! What developers get beside their credentials: programs in their own language, a Postman collection, and the shapes of
//! secrets for scanners. Plain values go in, text comes out.

pub mod call;
pub mod postman;
pub mod secret_formats;
pub mod snippets;
