//! The table of routes: one page per edge, from which the router, the permissions' test and the
//! API's description are all made.

use crate::accounts::Role;

/// One route and who may use it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may; `None` for everybody, also without an account.
    pub roles: Option<&'static [Role]>,
}

/// Make the route table `ROUTES` and `configure` from one page of lines
/// `METHOD "path" => room::verb, roles;`, where roles are a slice of roles or `anyone`.
#[macro_export]
macro_rules! routes {
    (@roles anyone) => { None };
    (@roles $roles:expr) => { Some($roles) };
    ($($method:ident $path:literal => $room:ident :: $verb:ident, $roles:tt;)*) => {
        /// Every route of this edge and who may use it.
        pub const ROUTES: &[$crate::http::Route] = &[$($crate::http::Route {
            method: stringify!($method),
            path: $path,
            roles: $crate::routes!(@roles $roles),
        },)*];

        /// Mount every route of this edge.
        pub fn configure(config: &mut actix_web::web::ServiceConfig) {
            $(config.route($path, $crate::routes!(@method $method).to($room::$verb));)*
        }
    };
    (@method GET) => { actix_web::web::get() };
    (@method POST) => { actix_web::web::post() };
    (@method PATCH) => { actix_web::web::patch() };
    (@method DELETE) => { actix_web::web::delete() };
}

/// As [`routes!`] for the JSON edge: callers are judged before a request is read, and the description
/// of every handler is collected in `Paths`.
#[macro_export]
macro_rules! described_routes {
    (@judged $route:expr, anyone) => { $route };
    (@judged $route:expr, $roles:expr) => {
        $route.wrap(actix_web::middleware::from_fn(|request, next| {
            $crate::http::judge($roles, request, next)
        }))
    };
    ($($method:ident $path:literal => $room:ident :: $verb:ident, $roles:tt;)*) => {
        /// Every route of this edge and who may use it.
        pub const ROUTES: &[$crate::http::Route] = &[$($crate::http::Route {
            method: stringify!($method),
            path: $path,
            roles: $crate::routes!(@roles $roles),
        },)*];

        /// Mount every route of this edge.
        pub fn configure(config: &mut actix_web::web::ServiceConfig) {
            $(config.route(
                $path,
                $crate::described_routes!(
                    @judged $crate::routes!(@method $method).to($room::$verb), $roles
                ),
            );)*
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($room::$verb),*))]
        struct Paths;
    };
}
