//! Vietnamese first, English beside it.

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
    people,
};

#[tokio::test]
async fn english_is_one_tap_away_and_stays() {
    let server = Server::start(On::Sqlite).await;
    let code = people::market(&server).await;
    let phone = Browser::open(&server, Setup::phone().without_scripts()).await;
    phone.go(&format!("/c/{code}")).await;
    assert_eq!(phone.attribute("html", "lang").await, "vi");
    phone.press(".lang").await;
    assert_eq!(phone.attribute("html", "lang").await, "en");
    assert_eq!(phone.text(".here").await, "Are you here?");
    phone.go("/").await;
    assert_eq!(
        phone.attribute("html", "lang").await,
        "en",
        "the choice is kept"
    );
    phone.press(".lang").await;
    assert_eq!(phone.attribute("html", "lang").await, "vi");
}

#[tokio::test]
async fn a_browser_that_asks_for_english_gets_it() {
    let server = Server::start(On::Sqlite).await;
    let code = people::market(&server).await;
    let phone = Browser::open(&server, Setup::phone().reading("en-GB,en")).await;
    phone.go(&format!("/c/{code}")).await;
    assert_eq!(phone.attribute("html", "lang").await, "en");
    phone.picture("visitor-form-en").await;
    axe::check(&phone).await;
    for page in ["/", "/login", "/register"] {
        phone.go(page).await;
        assert_eq!(phone.attribute("html", "lang").await, "en");
        let name = format!("{}-en", page.trim_matches('/'));
        phone
            .picture(if page == "/" { "home-en" } else { &name })
            .await;
        axe::check(&phone).await;
    }
}
