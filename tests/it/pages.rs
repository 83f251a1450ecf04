//! The pages as a browser without scripts uses them.

use diem_kiem_dich::accounts::Role;
use reqwest::{Client, StatusCode, header};

use crate::{
    kit::{On, PASSWORD, Server},
    on_both,
};

on_both! {
    a_venue_registers_and_a_visitor_comes_and_goes,
    a_browser_without_cookies_still_gets_its_card,
    a_page_asks_for_a_fresh_proof_and_goes_on,
    sessions_are_seen_and_ended,
    an_officer_finds_who_was_there,
    an_owner_changes_closes_and_reopens,
    forms_from_elsewhere_are_refused,
    pages_ask_for_the_right_role,
    every_page_knows_its_roles,
    failures_are_pages_and_problems_stay_problems,
}

/// A browser: keeps cookies, follows redirects, runs no script.
pub struct Browser {
    client: Client,
    base: String,
}

/// A page that came back.
pub struct Shown {
    pub status: StatusCode,
    pub path: String,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Shown {
    /// The value of the hidden field of this name in the first form that has it.
    pub fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let rest = self.text.split(&before).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        Self::with(server, true)
    }

    fn with(server: &Server, cookies: bool) -> Self {
        Self {
            client: Client::builder().cookie_store(cookies).build().unwrap(),
            base: server.url.clone(),
        }
    }

    async fn shown(request: reqwest::RequestBuilder) -> Shown {
        let answer = request.send().await.unwrap();
        Shown {
            status: answer.status(),
            path: answer.url().path().to_owned(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Shown {
        Self::shown(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Send a form as the page at `path` would: with its hidden fields.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get(path).await;
        let (token, id) = (page.hidden("csrf"), page.hidden("id"));
        let mut all = vec![("csrf", token.as_str()), ("id", id.as_str())];
        all.extend_from_slice(fields);
        Self::shown(self.post(path).form(&all)).await
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }
}

const VENUE: &[(&str, &str)] = &[
    ("name", "Phở <b>Mẫu</b> (Saale)"),
    ("kind", "restaurant"),
    ("province", "80"),
    ("ward", "tan ninh"),
    ("street", "12 Lê Lợi"),
    ("checkpoint", "Cửa chính"),
    ("contact_name", "Đỗ Thị Ổi"),
    ("contact_phone", "0901 234 567"),
    ("password", "mat-khau-cua-quan"),
];

const DECLARATION: &[(&str, &str)] = &[
    ("new", "1"),
    ("full_name", "O'Brien Nguyễn Văn Mẫu"),
    ("birth_year", "1990"),
    ("sex", "male"),
    ("nationality", "VN"),
    ("phone", "0912345678"),
    ("province", "80"),
    ("ward", "Phường Tân Ninh"),
    ("street", "Số 5"),
    ("travel", "no"),
    ("symptoms", "no"),
    ("contact_case", "no"),
    ("contact_affected_area", "no"),
    ("contact_symptomatic", "no"),
    ("consent", "2026-1"),
    ("companions", "2"),
];

/// Register the venue: the owner's browser, the venue's page, and the checkpoint's code.
async fn registered(server: &Server) -> (Browser, Shown, String) {
    let owner = Browser::new(server);
    let venue = owner.send("/register", VENUE).await;
    assert_eq!(venue.status, 200, "{}", venue.text);
    let code = venue.text.split("class=\"code\">").nth(1).unwrap();
    let code = code.split('<').next().unwrap().replace('-', "");
    (owner, venue, code)
}

fn without<'a>(fields: &[(&'a str, &'a str)], names: &[&str]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !names.contains(name));
    kept.copied().collect()
}

async fn a_venue_registers_and_a_visitor_comes_and_goes(on: On) {
    let server = Server::start(on).await;
    let (owner, venue, code) = registered(&server).await;
    assert!(venue.path.starts_with("/venues/"));
    assert!(venue.has("Phở &#60;b&#62;Mẫu&#60;/b&#62; (Saale)") || venue.has("Phở &lt;b&gt;"));
    assert!(venue.has("Phường Tân Ninh, Tỉnh Tây Ninh"));
    let poster = venue
        .text
        .split("href=\"")
        .find(|link| link.contains("poster.pdf"));
    let poster = poster.unwrap().split('"').next().unwrap();
    let pdf = owner.get(poster).await;
    assert_eq!(pdf.status, 200);
    assert_eq!(pdf.headers[header::CONTENT_TYPE], "application/pdf");

    let visitor = Browser::new(&server);
    let spaced = format!("/c?code={}", code.to_lowercase());
    let page = visitor.get(&spaced).await;
    assert_eq!(page.path, format!("/c/{code}"));
    assert!(page.has("Bạn đang ở đây?") && !page.has(" checked"));
    let path = format!("/C/{code}");
    let empty = visitor
        .send(
            &path,
            &[
                ("new", "1"),
                ("full_name", "Đỗ Thị Ổi"),
                ("birth_year", "199x"),
            ],
        )
        .await;
    assert_eq!(empty.status, 422);
    assert!(empty.has("<title>Lỗi:") && empty.has("value=\"Đỗ Thị Ổi\""));
    for field in [
        "birth_year",
        "sex",
        "phone",
        "province",
        "ward",
        "street",
        "travel",
        "symptoms",
        "contact_case",
        "contact_affected_area",
        "contact_symptomatic",
        "consent",
    ] {
        assert!(
            empty.has(&format!("<a href=\"#{field}\">")),
            "{field}: {}",
            empty.text
        );
    }
    let card = visitor.send(&path, DECLARATION).await;
    assert_eq!(
        (card.status, card.path.as_str()),
        (StatusCode::OK, format!("/c/{code}").as_str())
    );
    assert!(card.has("MỜI VÀO") && card.has("08:30:00") && card.has("result clear"));
    assert!(!card.has("O'Brien") && !card.has("O&#39;Brien") && !card.has("0912345678"));

    // The same poster on the way out, then in again by one button.
    let out = visitor.get(&path).await;
    let id = out.hidden("leave");
    server.clock.set(server.clock.now().plus_ms(40 * 60_000));
    let left = visitor.send(&path, &[("leave", &id)]).await;
    assert!(left.has("ĐÃ RA") && left.has("09:10:00"), "{}", left.text);
    let again = visitor.get(&format!("{path}?again=1")).await;
    assert!(again.has("name=\"again\"") && !again.has("full_name"));
    let token = again.hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("again", "1"),
        ("id", &again.hidden("id")),
    ];
    let card = Browser::shown(visitor.post(&path).form(&fields)).await;
    assert!(card.has("result clear"), "{}", card.text);

    let seen = owner.get(&venue.path).await;
    assert!(
        seen.has("0912345 ***") && !seen.has("0912345678"),
        "{}",
        seen.text
    );
    assert!(
        seen.has("<b>2</b> lượt vào") && seen.has("<b>1</b> còn ở trong"),
        "{}",
        seen.text
    );
}

async fn a_browser_without_cookies_still_gets_its_card(on: On) {
    let server = Server::start(on).await;
    let (_, _, code) = registered(&server).await;
    let path = format!("/c/{code}");
    let bare = Browser::with(&server, false);
    let send = async |fields: &[(&str, &str)]| {
        let post = bare.post(&path).header("sec-fetch-site", "same-origin");
        Browser::shown(post.form(&fields)).await
    };
    let mut sick = without(DECLARATION, &["symptoms", "contact_case"]);
    sick.extend([
        ("symptoms", "yes"),
        ("symptom", "fever"),
        ("symptom", "cough"),
    ]);
    sick.push(("contact_case", "yes"));
    let card = send(&sick).await;
    assert!(
        card.has("result stop") && card.has("DỪNG LẠI"),
        "{}",
        card.text
    );
    let id = card.hidden("leave");
    let left = send(&[("leave", &id)]).await;
    assert!(left.has("ĐÃ RA"));
    let other = format!("{}0000", &id[..32]);
    assert_eq!(send(&[("leave", &other)]).await.status, 404);
    // A name that fits several wards comes back with a choice.
    let mut vague = without(DECLARATION, &["ward"]);
    vague.push(("ward", "tân"));
    let choice = send(&vague).await;
    assert_eq!(choice.status, 422);
    assert!(choice.text.matches("name=\"ward_code\"").count() > 2);
}

/// An officer of province 80, logged in.
async fn officer(server: &Server) -> Browser {
    logged_in(server, Role::HealthOfficer).await
}

/// Somebody of this role, logged in.
pub async fn logged_in(server: &Server, role: Role) -> Browser {
    let login = format!("can-bo-{role}");
    server.account(&login, role, Some("80")).await;
    let browser = Browser::new(server);
    let shown = log_in(server, &browser, &login, "").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.has(&login), "{}", shown.text);
    browser
}

/// Somebody of this role, who has an account, logged in again.
pub async fn logged_in_again(server: &Server, role: Role) -> Browser {
    let browser = Browser::new(server);
    let shown = log_in(server, &browser, &format!("can-bo-{role}"), "").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    browser
}

/// Log in by the page, and go on to `next`.
async fn log_in(server: &Server, browser: &Browser, login: &str, next: &str) -> Shown {
    let otp = server.otp(login).unwrap_or_default();
    let fields = [
        ("login", login),
        ("password", PASSWORD),
        ("otp", &otp),
        ("next", next),
    ];
    browser.send("/login", &fields).await
}

/// A visitor with this name and number comes now.
async fn comes(server: &Server, code: &str, name: &str, phone: &str) {
    let mut fields = without(DECLARATION, &["full_name", "phone"]);
    fields.extend([("full_name", name), ("phone", phone)]);
    let card = Browser::new(server)
        .send(&format!("/c/{code}"), &fields)
        .await;
    assert!(card.has("result clear"), "{}", card.text);
}

async fn an_officer_finds_who_was_there(on: On) {
    let server = Server::start(on).await;
    let (_, _, code) = registered(&server).await;
    comes(&server, &code, "Ca Bệnh Mẫu", "0901111111").await;
    comes(&server, &code, "=HYPERLINK(1)", "0902222222").await;
    server.clock.set(server.clock.now().plus_ms(5 * 60_000));
    comes(&server, &code, "Đỗ Thị Ổi", "0903333333").await;
    server.clock.set(server.clock.now().plus_ms(6 * 3_600_000));

    let officer = officer(&server).await;
    let bad = officer
        .send(
            "/cases/new",
            &[("disease", "COVID-19"), ("birth_year", "x")],
        )
        .await;
    assert_eq!(bad.status, 422);
    for field in ["full_name", "birth_year", "confirmed_on"] {
        assert!(
            bad.has(&format!("<a href=\"#{field}\">")),
            "{field}: {}",
            bad.text
        );
    }
    let report = [
        ("full_name", "Ca Bệnh Mẫu"),
        ("phone", "0901111111"),
        ("confirmed_on", "2026-11-18"),
        ("disease", "COVID-19"),
        ("rule", "vn-11042"),
    ];
    let case = officer.send("/cases/new", &report).await;
    assert_eq!(case.status, 200, "{}", case.text);
    assert!(case.has("2026-0001") && case.has("Cửa chính") && case.has("ước tính"));
    assert!(
        !case.has("Ca Bệnh Mẫu") && !case.has("0901111111"),
        "a case names nobody"
    );
    let empty = officer.send(&case.path, &[("reason", "")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.has("<a href=\"#reason\">") && empty.has("<a href=\"#document\">"));
    let ask = [("reason", "điều tra ca bệnh"), ("document", "12/QĐ-SYT")];
    let found = officer.send(&case.path, &ask).await;
    assert!(found.path.starts_with("/lookups/"), "{}", found.text);
    assert!(
        found.has("<b>2</b> người ở vòng 1") && found.has("12/QĐ-SYT"),
        "{}",
        found.text
    );
    assert!(!found.has("Đỗ Thị Ổi"), "counts come first");
    let people = officer.get(&format!("{}/people", found.path)).await;
    assert!(people.has("Đỗ Thị Ổi") && people.has("0903333333") && people.has("<svg viewBox"));
    assert!(!people.has("0901111111"));
    let csv = officer.get(&format!("{}/exposures.csv", found.path)).await;
    assert!(
        csv.has("'=HYPERLINK(1)") && csv.has("Đỗ Thị Ổi"),
        "{}",
        csv.text
    );
    assert_eq!(
        officer
            .get(&format!("{}/exposures.xlsx", found.path))
            .await
            .status,
        200
    );

    let place = [
        ("by", "checkpoint"),
        ("code", code.as_str()),
        ("from", "2026-11-18T08:00"),
        ("until", "2026-11-18T10:00"),
        ("reason", "x"),
        ("document", "y"),
    ];
    let found = officer.send("/lookups/new", &place).await;
    assert!(found.has("<b>3</b> người ở vòng 1"), "{}", found.text);
    let person = [
        ("by", "person"),
        ("phone", "0902222222"),
        ("reason", "x"),
        ("document", "y"),
    ];
    let found = officer.send("/lookups/new", &person).await;
    assert!(found.has("<b>2</b> người ở vòng 1"), "{}", found.text);
    let neither = officer
        .send("/lookups/new", &[("reason", "x"), ("document", "y")])
        .await;
    assert!(neither.status == 422 && neither.has("<a href=\"#by\">"));
    assert_eq!(Browser::new(&server).get(&found.path).await.path, "/login");
}

async fn a_page_asks_for_a_fresh_proof_and_goes_on(on: On) {
    let server = Server::start(on).await;
    let (_, _, code) = registered(&server).await;
    comes(&server, &code, "Đỗ Thị Ổi", "0903333333").await;
    let login = "can-bo-health-officer";
    let officer = officer(&server).await;
    let ask = [
        ("by", "person"),
        ("phone", "0903333333"),
        ("reason", "Điều tra <ổ dịch>"),
        ("document", "12/CDC"),
    ];
    let later = server.clock.now().plus_ms(16 * 60_000);
    server.clock.set(later);
    // The form comes back whole, in hidden fields, with a question for the one-time password.
    let asked = officer.send("/lookups/new", &ask).await;
    assert_eq!(
        (asked.status, asked.path.as_str()),
        (StatusCode::FORBIDDEN, "/lookups/new")
    );
    assert!(asked.has("autocomplete=\"one-time-code\"") && asked.has("inputmode=\"numeric\""));
    assert!(
        asked.has("name=\"phone\" value=\"0903333333\""),
        "{}",
        asked.text
    );
    assert!(asked.has("Điều tra &#60;ổ dịch&#62;"), "{}", asked.text);
    assert_eq!(
        asked.text.matches("name=\"csrf\"").count(),
        2,
        "{}",
        asked.text
    );
    let with = |otp: &str| {
        let mut fields: Vec<(&str, String)> = vec![("csrf", asked.hidden("csrf"))];
        fields.extend(ask.map(|(name, value)| (name, value.to_owned())));
        fields.push(("otp", otp.to_owned()));
        fields
    };
    let open_form = officer.get("/lookups/new").await.hidden("csrf");
    let wrong = Browser::shown(officer.post("/lookups/new").form(&with("12345"))).await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.has("<a href=\"#otp\">") && !wrong.has("12345"),
        "{}",
        wrong.text
    );
    let otp = server.otp(login).unwrap();
    let found = Browser::shown(officer.post("/lookups/new").form(&with(&otp))).await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert!(found.path.starts_with("/lookups/"), "{}", found.path);
    // The cookie was replaced, and a form that was open all the time is still good.
    let again = [&ask[..], &[("csrf", open_form.as_str())]].concat();
    assert_eq!(
        Browser::shown(officer.post("/lookups/new").form(&again))
            .await
            .status,
        200
    );

    names_open_after_a_proof(&server, &officer, &found.path, otp).await;
}

/// A page with names: away to the question, and back.
async fn names_open_after_a_proof(server: &Server, officer: &Browser, run: &str, spent: String) {
    let login = "can-bo-health-officer";
    let later = server.clock.now().plus_ms(16 * 60_000);
    server.clock.set(later);
    assert_eq!(officer.get(run).await.status, 200, "counts name nobody");
    let people = format!("{run}/people");
    // Where a patient was takes a proof, too, before it is said whether there is such a case.
    let case = "/cases/019a0000-0000-7000-8000-000000000000";
    let asked = officer.get(case).await;
    assert_eq!(
        (asked.path.as_str(), asked.hidden("next").as_str()),
        ("/proof", case)
    );
    let asked = officer.get(&people).await;
    assert_eq!(
        (asked.status, asked.path.as_str()),
        (StatusCode::OK, "/proof")
    );
    assert_eq!(asked.hidden("next"), people);
    let file = officer.get(&format!("{run}/exposures.csv")).await;
    assert_eq!(
        (file.path.as_str(), file.hidden("next")),
        ("/proof", people.clone())
    );
    let proof = [
        ("csrf", asked.hidden("csrf")),
        ("next", people.clone()),
        ("otp", spent),
    ];
    let used = Browser::shown(officer.post("/proof").form(&proof)).await;
    assert_eq!(used.status, 401, "the same one again");
    let proof = [
        ("csrf", asked.hidden("csrf")),
        ("next", people.clone()),
        ("otp", server.otp(login).unwrap()),
    ];
    let opened = Browser::shown(officer.post("/proof").form(&proof)).await;
    assert_eq!((opened.status, &opened.path), (StatusCode::OK, &people));
    assert_eq!(
        officer.get(&format!("{run}/exposures.csv")).await.status,
        200
    );
}

async fn sessions_are_seen_and_ended(on: On) {
    let server = Server::start_with(on, &[("public_url", "https://dkd.example")]).await;
    let login = "can-bo-health-officer";
    server.account(login, Role::HealthOfficer, Some("80")).await;
    let plain = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    // Over HTTPS the cookie has another name and is kept by no client here: it is sent by hand.
    let log_in = async || {
        let otp = server.otp(login).unwrap();
        let fields = [
            ("login", login),
            ("password", PASSWORD),
            ("otp", otp.as_str()),
        ];
        let answer = plain
            .post(format!("{}/login", server.url))
            .header("sec-fetch-site", "same-origin")
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303);
        let set = answer.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(set.starts_with("__Host-dkd_session="), "{set}");
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
            assert!(set.contains(part), "{part}: {set}");
        }
        set.split(';').next().unwrap().to_owned()
    };
    let get = async |cookie: &str, path: &str| {
        let request = plain.get(format!("{}{path}", server.url));
        Browser::shown(request.header(header::COOKIE, cookie)).await
    };
    let (here, there) = (log_in().await, log_in().await);
    let list = get(&here, "/sessions").await;
    assert_eq!(list.status, 200);
    assert_eq!(
        list.text.matches("name=\"end\"").count(),
        2,
        "{}",
        list.text
    );
    assert_eq!(list.text.matches("Phiên này").count(), 1);
    let this = list.text.find("Phiên này").unwrap();
    let ids: Vec<(usize, &str)> = list
        .text
        .match_indices("name=\"end\" value=\"")
        .map(|(at, found)| (at, &list.text[at + found.len()..][..36]))
        .collect();
    let own = ids.iter().find(|(at, _)| *at > this).unwrap().1;
    let other = ids.iter().find(|(_, id)| *id != own).unwrap().1;
    let post = async |fields: &[(&str, &str)]| {
        let token = list.hidden("csrf");
        let request = plain.post(format!("{}/sessions", server.url));
        let fields = [fields, &[("csrf", token.as_str())]].concat();
        Browser::shown(request.header(header::COOKIE, &here).form(&fields)).await
    };
    assert_eq!(post(&[("end", other)]).await.status, 303);
    assert_eq!(get(&there, "/sessions").await.status, 303, "it has ended");
    assert_eq!(get(&here, "/sessions").await.status, 200);
    let third = log_in().await;
    // Ending sessions asks for a fresh proof, too.
    server.clock.set(server.clock.now().plus_ms(16 * 60_000));
    let asked = post(&[("all", "1")]).await;
    assert_eq!(asked.status, 403);
    assert_eq!(asked.hidden("all"), "1");
    let otp = server.otp(login).unwrap();
    assert_eq!(post(&[("all", "1"), ("otp", &otp)]).await.status, 303);
    for cookie in [&here, &third] {
        assert_eq!(get(cookie, "/sessions").await.status, 303);
    }
}

async fn an_owner_changes_closes_and_reopens(on: On) {
    let server = Server::start(on).await;
    let (owner, venue, code) = registered(&server).await;
    let new = format!("{}/checkpoints/new", venue.path);
    let bad = owner
        .send(
            &new,
            &[
                ("name", ""),
                ("kind", "office"),
                ("stay_minutes", "x"),
                ("open_mon", "07:00"),
            ],
        )
        .await;
    assert_eq!(bad.status, 422);
    for field in ["name", "stay_minutes", "opening_hours"] {
        assert!(bad.has(&format!("<a href=\"#{field}\">")), "{field}");
    }
    let fields = [
        ("name", "Phòng họp 2"),
        ("kind", "office"),
        ("stay_minutes", "45"),
        ("open_mon", "07:00"),
        ("close_mon", "21:30"),
        ("plate", "51B-123.45"),
        ("listed", "1"),
    ];
    let made = owner.send(&new, &fields).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.has("value=\"51B-123.45\"") && made.has("value=\"45\""));
    assert!(made.has("value=\"07:00\"") && made.has("value=\"21:30\""));

    let first = venue.text.split("href=\"").find(|link| {
        link.starts_with(&format!("{}/checkpoints/", venue.path)) && !link.contains("new")
    });
    let first = first.unwrap().split(['"', '/']).nth(4).unwrap();
    let path = format!("{}/checkpoints/{first}", venue.path);
    let closed = owner.send(&path, &[("do", "close")]).await;
    assert!(closed.has("Đã đóng"), "{}", closed.text);
    let visitor = Browser::new(&server);
    let gone = visitor.get(&format!("/c/{code}")).await;
    assert_eq!(gone.status, 410);
    assert!(gone.has("Điểm kiểm dịch đã đóng"));
    let open = owner.send(&path, &[("do", "reopen")]).await;
    assert!(open.has("Đang mở"));
    assert_eq!(visitor.get(&format!("/c/{code}")).await.status, 200);

    // Somebody else's venue is not there.
    let other = Browser::new(&server);
    let mut fields = without(VENUE, &["contact_phone"]);
    fields.push(("contact_phone", "0907654321"));
    assert_eq!(other.send("/register", &fields).await.status, 200);
    for foreign in [&venue.path, &path] {
        assert_eq!(other.get(foreign).await.status, 404, "{foreign}");
    }
    let twice = Browser::new(&server).send("/register", &fields).await;
    assert_eq!(twice.status, 409);
    assert!(twice.has("#contact_phone"));
}

async fn forms_from_elsewhere_are_refused(on: On) {
    let server = Server::start(on).await;
    let (owner, venue, _) = registered(&server).await;
    let path = format!("{}/checkpoints/new", venue.path);
    let token = owner.get(&path).await.hidden("csrf");
    assert!(!token.is_empty());
    let send = async |token: &str, headers: &[(&'static str, &str)]| {
        let fields = [("csrf", token), ("name", "Cửa"), ("kind", "office")];
        let mut post = owner.post(&path).form(&fields);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        Browser::shown(post).await.status
    };
    let same = ("sec-fetch-site", "same-origin");
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[same, ("origin", "https://evil.example")],
    ] {
        assert_eq!(send(&token, headers).await, 403, "{headers:?}");
    }
    // Logged in, the browser's word alone is not enough, and another's token is none.
    assert_eq!(send("", &[same]).await, 403);
    let other = Browser::new(&server).get("/login").await.hidden("csrf");
    assert_eq!(send(&other, &[same]).await, 403);
    assert_eq!(send(&token, &[same]).await, 200);
    assert_eq!(send(&token, &[]).await, 200);
    let out = Browser::shown(owner.post("/logout").form(&[("csrf", "x")])).await;
    assert_eq!(out.status, 403);
    let out = Browser::shown(owner.post("/logout").form(&[("csrf", token.as_str())])).await;
    assert_eq!((out.status, out.path.as_str()), (StatusCode::OK, "/"));
    assert_eq!(owner.get(&venue.path).await.path, "/login");
}

async fn pages_ask_for_the_right_role(on: On) {
    let server = Server::start(on).await;
    officer(&server).await;
    let browser = Browser::new(&server);
    let asked = browser.get("/venues").await;
    assert_eq!(asked.path, "/login");
    assert_eq!(asked.hidden("next"), "/venues");
    let wrong = browser
        .send(
            "/login",
            &[
                ("login", "can-bo-health-officer"),
                ("password", "khong-dung"),
            ],
        )
        .await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.has("#login")
            && wrong.has("value=\"can-bo-health-officer\"")
            && !wrong.has("khong-dung")
    );
    let right = log_in(&server, &browser, "can-bo-health-officer", "//evil.example").await;
    assert!(right.has("can-bo"), "{}", right.text);
    assert!(!right.path.contains("evil"));
    assert_eq!(browser.get("/venues").await.status, 403);
    assert_eq!(
        browser
            .get("/login?next=https://evil.example")
            .await
            .hidden("next"),
        ""
    );
}

/// Who may open the pages that not everybody may, a second time and apart from the code: a page that
/// is not here is for everybody.
const RESTRICTED: &[(&str, &[Role])] = &[
    ("/logout", &Role::ALL),
    ("/proof", &Role::ALL),
    ("/sessions", &Role::ALL),
    ("/venues", &[Role::VenueOwner]),
    ("/cases", &[Role::HealthOfficer, Role::HealthLead]),
    ("/lookups", &[Role::HealthOfficer, Role::HealthLead]),
    ("/requests", &[Role::HealthLead, Role::Operator]),
];

async fn every_page_knows_its_roles(on: On) {
    let server = Server::start(on).await;
    let mut browsers = Vec::new();
    for role in Role::ALL {
        browsers.push((role, logged_in(&server, role).await));
    }
    let stranger = Browser::new(&server);
    for route in diem_kiem_dich::web::ROUTES {
        let restricted = RESTRICTED
            .iter()
            .find(|(path, _)| route.path.starts_with(path));
        let at = format!("{} {}", route.method, route.path);
        assert_eq!(restricted.is_some(), route.roles.is_some(), "{at}");
        let Some((_, allowed)) = restricted else {
            continue;
        };
        let only_lead = at == "POST /lookups/{lookup}";
        let path = route
            .path
            .replace("{format}", "csv")
            .replace("{venue}", NOBODY)
            .replace("{checkpoint}", NOBODY)
            .replace("{case}", NOBODY)
            .replace("{lookup}", NOBODY);
        let ask = async |browser: &Browser| match route.method {
            "GET" => browser.get(&path).await,
            _ => {
                // The way out and the log-in form hold the browser's token.
                let page = browser.get("/login").await;
                let token = page.hidden("csrf");
                Browser::shown(browser.post(&path).form(&[("csrf", &token)])).await
            }
        };
        assert_eq!(ask(&stranger).await.path, "/login", "{at}");
        if route.path == "/logout" {
            continue;
        }
        for (role, browser) in &browsers {
            let may = allowed.contains(role) && (!only_lead || *role == Role::HealthLead);
            let shown = ask(browser).await;
            let refused = shown.status == 403;
            assert_eq!(!may, refused, "{at} as {role}: {}", shown.status);
        }
    }
}

/// The id of nothing.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn failures_are_pages_and_problems_stay_problems(on: On) {
    let server = Server::start(on).await;
    let browser = Browser::new(&server);
    for path in [
        "/nowhere",
        "/c/ABC",
        "/c/7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "/venues/x",
    ] {
        let missing = browser.get(path).await;
        assert!(
            missing.headers[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(
            missing.status == 404 || missing.path == "/login",
            "{path}: {}",
            missing.status
        );
        assert!(missing.headers.contains_key("content-security-policy"));
    }
    let problem = browser.get("/api/v1/nowhere").await;
    assert_eq!(problem.status, 404);
    assert_eq!(
        problem.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );

    let english = browser.get("/?lang=en").await;
    assert!(english.has("<html lang=\"en\">"));
    assert!(
        browser.get("/").await.has("<html lang=\"en\">"),
        "the choice is kept"
    );
    let accepted = browser
        .client
        .get(&browser.base)
        .header("accept-language", "vi");
    assert!(
        Browser::shown(accepted).await.has("lang=\"en\""),
        "it wins over the browser's"
    );
    let fresh = Browser::new(&server);
    let accepted = fresh
        .client
        .get(&fresh.base)
        .header("accept-language", "en-GB,vi;q=0.5");
    assert!(Browser::shown(accepted).await.has("<html lang=\"en\">"));

    let docs = fresh.get("/docs").await;
    for (path, _) in [("/api/v1/check-ins", ()), ("/api/v1/venues", ())] {
        assert!(docs.has(&format!("<code>{path}</code>")), "{path}");
    }
    let home = fresh.get("/").await;
    let style = home
        .text
        .split("href=\"")
        .find(|link| link.starts_with("/static/app.css"));
    let style = fresh.get(style.unwrap().split('"').next().unwrap()).await;
    assert!(
        style.headers[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(home.headers[header::CACHE_CONTROL], "no-store");
}
