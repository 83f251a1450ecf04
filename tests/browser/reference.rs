//! The reference of the API, from this server alone.

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
};

#[tokio::test]
async fn the_reference_shows_every_path_of_the_description() {
    let server = Server::start(On::Sqlite).await;
    let (status, description) = server.http.get("/api/v1/openapi.json").await;
    assert_eq!(status, 200);
    let desk = Browser::open(&server, Setup::desk()).await;
    desk.go("/docs").await;
    let shown = "return [...document.querySelectorAll('.op > summary')]
        .map(line => line.querySelector('.method')?.textContent + ' ' + line.querySelector('code').textContent)";
    let shown = desk.script(shown, &[]).await;
    let shown: Vec<&str> = shown
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|line| line.as_str())
        .collect();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 10);
    for (path, methods) in paths {
        for method in methods
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "parameters")
        {
            assert!(
                shown.contains(&format!("{method} {path}").as_str()),
                "{method} {path} is missing"
            );
        }
    }
    desk.picture("docs").await;
    axe::check(&desk).await;
}
