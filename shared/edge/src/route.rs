//! Routes: addresses and their operations.

use http::Method;

use crate::query::Query;

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// Every signed-in user.
    User,
    /// Every signed-in user with the admin scope or group.
    Admin,
}

/// An address, and the operation of a function that it leads to.
#[derive(Clone, Copy, Debug)]
pub struct Route<Operation> {
    /// The method.
    pub method: &'static str,
    /// The path, with `{id}` for an id, and any other name in braces for a segment that may be anything.
    pub path: &'static str,
    /// Who may use the operation.
    pub access: Access,
    /// The query parameters.
    pub query: Query,
    /// How large the body may be.
    pub max_body_bytes: usize,
    /// The operation.
    pub operation: Operation,
}

/// The operations of a function.
pub trait Operation: Copy + Send + Sync + 'static {
    /// The addresses of the function.
    const ROUTES: &'static [Route<Self>];
}

/// The result of a route lookup.
#[derive(Debug)]
pub enum RouteMatch<'a, R> {
    /// This route, and the id in the path.
    Found(&'a R, Option<&'a str>),
    /// The path exists, with these methods.
    OtherMethod(Vec<&'static str>),
    /// No route has this path.
    Nothing,
}

/// Finds the route of a request. `address` returns the method and the path of a route.
pub fn find<'a, R>(
    routes: impl IntoIterator<Item = &'a R>,
    address: impl Fn(&R) -> (&'static str, &'static str),
    method: &Method,
    path: &'a str,
) -> RouteMatch<'a, R> {
    let (mut literal, mut any) = (Vec::new(), Vec::new());
    for route in routes {
        let (route_method, pattern) = address(route);
        if let Some(Matched { id }) = match_path(pattern, path) {
            if route_method == method.as_str() {
                return RouteMatch::Found(route, id);
            }
            if pattern == path { &mut literal } else { &mut any }.push(route_method);
        }
    }
    // `/pins/bulk` is an address of its own before it is the Pin with the id `bulk`.
    match (literal.is_empty(), any.is_empty()) {
        (false, _) => RouteMatch::OtherMethod(literal),
        (true, false) => RouteMatch::OtherMethod(any),
        (true, true) => RouteMatch::Nothing,
    }
}

/// A path that has the form of a pattern.
struct Matched<'a> {
    id: Option<&'a str>,
}

fn match_path<'a>(pattern: &str, path: &'a str) -> Option<Matched<'a>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut id = None;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(Matched { id }),
            (Some("{id}"), Some(part)) if !part.is_empty() => id = Some(part),
            (Some(any), Some(part)) if any.starts_with('{') && !part.is_empty() => {}
            (Some(want), Some(part)) if want == part => {}
            _ => return None,
        }
    }
}
