//! The public page of numbers, on a phone and on a desk.

use diem_kiem_dich::privacy::audit::{self, Entry, keep};

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
};

#[tokio::test]
async fn everybody_reads_how_often_data_was_looked_at() {
    let server = Server::start(On::Sqlite).await;
    let app = &server.app;
    // Four months, the last of them just begun.
    for (month, people) in [(0, 412), (31, 38), (61, 3), (92, 0)] {
        app.clock.set(crate::kit::START.plus_ms(month * 86_400_000));
        for action in ["lookup.created", "lookup.viewed"] {
            app.db
                .write(async |tx| {
                    let entry = Entry {
                        action,
                        people: Some(people),
                        ..Entry::default()
                    };
                    audit::append(tx, entry).await
                })
                .await
                .unwrap();
        }
    }
    let signed = keep::sign(&app.db, &app.keys.audit()).await.unwrap();
    let size = signed.unwrap().size;
    for (setup, name) in [(Setup::desk(), "desk"), (Setup::phone(), "phone")] {
        let browser = Browser::open(&server, setup).await;
        browser.go("/minh-bach").await;
        let note = "return document.querySelector('pre').textContent";
        let note = browser.script(note, &[]).await;
        assert_eq!(
            note.as_str().unwrap().lines().nth(1),
            Some(&*size.to_string())
        );
        let bars = "return document.querySelectorAll('svg .bar').length";
        let bars = browser.script(bars, &[]).await;
        assert_eq!(bars, 3, "a month without a look has no bar");
        browser.picture(&format!("transparency-{name}")).await;
        axe::check(&browser).await;
    }
}
