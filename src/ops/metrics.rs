//! Metrics for Prometheus, on a port of their own that only this machine should reach.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, rt, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::http::StartError;

/// Bounds of the commit time's buckets, in seconds.
const COMMIT_SECONDS: [f64; 8] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0];

/// Bounds of the batch size's buckets, in rows.
const BATCH_ROWS: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0];

/// Serve `GET /metrics` on `listener`, in this actix system. To be called once in a process.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn serve(listener: TcpListener) -> Result<ServerHandle, StartError> {
    let failed =
        |error: String| StartError::File("metrics_listen".into(), std::io::Error::other(error));
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Full("checkin_commit_seconds".to_owned()),
            &COMMIT_SECONDS,
        )
        .and_then(|builder| {
            builder
                .set_buckets_for_metric(Matcher::Full("commit_batch_rows".to_owned()), &BATCH_ROWS)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| failed(error.to_string()))?;
    metrics::gauge!("build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let recorder = Arc::new(recorder);
    let upkeep = Arc::clone(&recorder);
    rt::spawn(async move {
        loop {
            rt::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&recorder)))
            .route("/metrics", web::get().to(render))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .map_err(|error| failed(error.to_string()))?
    .run();
    let handle = server.handle();
    rt::spawn(server);
    Ok(handle)
}

async fn render(recorder: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(recorder.render())
}
