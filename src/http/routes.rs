//! The table of routes: one page per edge, from which the router, the permissions' test and the
//! API's description are all made.

use actix_web::dev::ResourceDef;

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

/// Which methods a path takes.
pub struct Methods(Vec<(ResourceDef, &'static str)>);

impl Methods {
    /// Those of these `tables`. To be made once: the patterns are compiled.
    #[must_use]
    pub fn of(tables: &[&[Route]]) -> Self {
        let routes = tables.iter().copied().flatten();
        Self(
            routes
                .map(|route| (ResourceDef::new(route.path), route.method))
                .collect(),
        )
    }

    /// The methods that `path` takes, as the header `Allow` lists them; `None` when there is no such
    /// path.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<String> {
        let mut methods: Vec<&str> = Vec::new();
        // A path that is written out goes before one with a part to fill in.
        let is_written = self
            .0
            .iter()
            .any(|(pattern, _)| pattern.pattern() == Some(path));
        for (pattern, method) in &self.0 {
            let fits = if is_written {
                pattern.pattern() == Some(path)
            } else {
                pattern.is_match(path)
            };
            if fits && !methods.contains(method) {
                methods.push(method);
            }
        }
        if let Some(at) = methods.iter().position(|method| *method == "GET") {
            methods.insert(at + 1, "HEAD");
        }
        (!methods.is_empty()).then(|| methods.join(", "))
    }
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
    // What can be read can be asked about: HEAD is answered as GET, and the server keeps the body.
    (@method GET) => {
        actix_web::web::route().guard(
            actix_web::guard::Any(actix_web::guard::Get()).or(actix_web::guard::Head()),
        )
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_methods() {
        let route = |method, path| Route {
            method,
            path,
            roles: None,
        };
        let one = [route("POST", "/a"), route("GET", "/a/{id}")];
        let other = [route("PATCH", "/a/{id}"), route("GET", "/a/{id}/b.csv")];
        let methods = Methods::of(&[&one, &other]);
        let of = |path| methods.at(path);
        assert_eq!(of("/a").as_deref(), Some("POST"));
        assert_eq!(of("/a/7").as_deref(), Some("GET, HEAD, PATCH"));
        assert_eq!(of("/a/7/b.csv").as_deref(), Some("GET, HEAD"));
        for nowhere in ["/", "/a/", "/a/7/b", "/b", ""] {
            assert_eq!(of(nowhere), None, "{nowhere}");
        }
    }
}
