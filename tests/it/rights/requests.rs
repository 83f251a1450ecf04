//! Requests as work items with the deadlines of the law.

use diem_kiem_dich::{accounts::Role, store::Error};

use super::{Browser, NUMBER, count, later, server};
use crate::{
    kit::{On, Server},
    on_both, pages,
};

on_both! {
    requests_are_work_items,
}

async fn opened_numbers(server: &Server) -> i64 {
    let sql = "SELECT COUNT(*) FROM audit_log WHERE action = 'rights.phone_opened'";
    count(server, sql).await
}

async fn requests_are_work_items(on: On) {
    let server = server(on).await;
    let browser = Browser::prove(&server, NUMBER).await;
    let noted = browser.press("other", &[]).await;
    assert!(noted.has("hai ngày làm việc"), "{}", noted.text);
    let operator = pages::logged_in(&server, Role::Operator).await;
    let lead = pages::logged_in(&server, Role::HealthLead).await;
    let list = operator.get("/requests").await;
    // Asked on a Wednesday: the first reply by Friday, done in fifteen days.
    assert!(
        list.text.contains("20/11/2026") && list.text.contains("03/12/2026"),
        "{}",
        list.text
    );
    assert!(!list.text.contains(NUMBER) && !list.text.contains("Quá hạn"));
    let before = "name=\"id\" value=\"";
    let id = list
        .text
        .split(before)
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let act = async |who: &pages::Browser, what: &str| {
        who.send("/requests", &[("do", what), ("id", &id)]).await
    };
    assert_eq!(
        act(&operator, "phone").await.status,
        403,
        "the operator calls nobody"
    );
    // The number is opened like a name: after a fresh proof, in the form itself.
    later(&server, 16 * 60);
    let asked = act(&lead, "phone").await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    assert!(
        asked.text.contains("name=\"otp\"") && !asked.text.contains(NUMBER),
        "{}",
        asked.text
    );
    assert_eq!(opened_numbers(&server).await, 0);
    let otp = server.otp("can-bo-health-lead").unwrap();
    let proven = [("do", "phone"), ("id", &*id), ("otp", &*otp)];
    let opened = lead.send("/requests", &proven).await;
    assert_eq!(opened.status, 200);
    assert!(opened.text.contains(NUMBER), "{}", opened.text);
    assert_eq!(opened_numbers(&server).await, 1);
    later(&server, 3 * 24 * 3600);
    let operator = pages::logged_in_again(&server, Role::Operator).await;
    let lead = pages::logged_in_again(&server, Role::HealthLead).await;
    assert!(operator.get("/requests").await.text.contains("Quá hạn"));
    assert_eq!(act(&operator, "replied").await.status, 200);
    assert_eq!(act(&operator, "replied").await.status, 409);
    let put_off = act(&operator, "extended").await;
    assert!(
        put_off.text.contains("18/12/2026") && !put_off.text.contains("Quá hạn"),
        "{}",
        put_off.text
    );
    assert_eq!(act(&operator, "extended").await.status, 409);
    assert_eq!(act(&lead, "done").await.status, 200);
    assert_eq!(act(&lead, "done").await.status, 404);
    assert_eq!(act(&lead, "phone").await.status, 404, "the number is wiped");
    let entered = operator
        .send("/requests", &[("do", "enter"), ("kind", "erase")])
        .await;
    assert_eq!(entered.status, 200);
    let steps: Result<(i64,), Error> = server
        .app
        .db
        .read(async |tx| {
            tx.query("SELECT COUNT(*) FROM audit_log WHERE subject = $1")
                .bind(id.clone())
                .one()
                .await
        })
        .await;
    assert_eq!(steps.unwrap().0, 5, "asked, opened, replied, put off, done");
}
