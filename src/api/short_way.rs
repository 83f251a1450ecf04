//! The short way of a check-in: past the router, the compression and the layers around them.
//!
//! On a busy morning nearly every request is `POST /api/v1/check-ins`, and what stands between the
//! socket and the handler costs more than the handler. The route stands in the table like all others;
//! here it is only recognised sooner. An answer is a few hundred bytes, most of them a token, which
//! compression would not make smaller.

use std::{
    future::{Ready, ready},
    pin::Pin,
};

use actix_web::{
    Error, FromRequest as _, HttpRequest, HttpResponse, ResponseError as _,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::Method,
};
use futures_util::{
    TryFutureExt as _,
    future::{Either, MapOk},
};

use super::checkins;
use crate::http::{Json, Shared, finish};

/// The path, as in the table of routes.
const PATH: &str = "/api/v1/check-ins";

/// Takes check-ins out before the application's other layers.
pub struct ShortWay(pub Shared);

/// [`ShortWay`] around the rest.
pub struct Fork<S> {
    app: Shared,
    rest: S,
}

type Answer<B> = ServiceResponse<EitherBody<BoxBody, B>>;
type Short<B> = Pin<Box<dyn Future<Output = Result<Answer<B>, Error>>>>;
type Long<S, B> =
    MapOk<<S as Service<ServiceRequest>>::Future, fn(ServiceResponse<B>) -> Answer<B>>;

impl<S, B> Transform<S, ServiceRequest> for ShortWay
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = Answer<B>;
    type Error = Error;
    type Transform = Fork<S>;
    type InitError = ();
    type Future = Ready<Result<Fork<S>, ()>>;

    fn new_transform(&self, rest: S) -> Self::Future {
        ready(Ok(Fork {
            app: self.0.clone(),
            rest,
        }))
    }
}

impl<S, B> Service<ServiceRequest> for Fork<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = Answer<B>;
    type Error = Error;
    type Future = Either<Short<B>, Long<S, B>>;

    forward_ready!(rest);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if request.path() != PATH || request.method() != Method::POST {
            let rest = self.rest.call(request);
            return Either::Right(rest.map_ok(ServiceResponse::map_into_right_body));
        }
        let app = self.app.clone();
        Either::Left(Box::pin(async move {
            let (request, payload) = request.into_parts();
            let mut response = answer(&app, &request, payload).await;
            finish(&app, &request, &mut response, || PATH.to_owned());
            Ok(ServiceResponse::new(request, response).map_into_left_body())
        }))
    }
}

async fn answer(app: &Shared, request: &HttpRequest, mut payload: Payload) -> HttpResponse {
    let body = Json::from_request(request, &mut payload).await;
    let answered = match body {
        Ok(body) => checkins::answer(app, request, body).await,
        Err(failure) => Err(failure),
    };
    answered.unwrap_or_else(|failure| failure.error_response())
}

#[cfg(test)]
mod tests {
    use super::{super::ROUTES, PATH};

    #[test]
    fn the_table_of_routes_has_it_too() {
        let same = |route: &&crate::http::Route| route.path == PATH && route.method == "POST";
        let route = ROUTES.iter().find(same).unwrap();
        assert!(route.roles.is_none(), "nobody is judged on the short way");
    }
}
