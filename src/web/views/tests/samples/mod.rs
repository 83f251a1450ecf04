//! Sample values for every page, with the names that break things.

mod official;
mod own;

use askama::Template;
use serde_json::json;

use crate::web::charts;
use crate::web::page::{Bar, Choice, Form, Page};
use crate::web::reference;
use crate::web::texts::Lang;
use crate::web::views::*;

fn page(lang: Lang) -> Page {
    let mut page = Page::new(lang);
    page.token = "dG9rZW4tb2YtdGhpcy1mb3Jt".into();
    page
}

fn owner(lang: Lang) -> Page {
    let mut page = page(lang);
    page.bar = Some(Bar {
        login: "+84901234567".into(),
        venues: true,
        cases: false,
        requests: false,
    });
    page
}

const PUBLIC_KEY: &str =
    "diem-kiem-dich/audit/0f5a0c7c+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn transparency(lang: Lang) -> Transparency {
    let values: Vec<String> = ["1.204", "38.112", "dưới 5", "0", "17", "30"]
        .map(str::to_owned)
        .to_vec();
    let names = [
        "lookups", "found", "opened", "exports", "referred", "sweeps",
    ];
    let measures = names.into_iter().zip(&values);
    let bars: Vec<charts::Bar> = (1..=12)
        .map(|month| charts::Bar {
            label: format!("{month:02}/2026"),
            n: (month % 4 > 0).then_some(month * 37),
            shown: if month % 4 > 0 {
                (month * 37).to_string()
            } else {
                "dưới 5".into()
            },
        })
        .collect();
    Transparency {
        p: page(lang),
        month: "2026-11".into(),
        shown: "11/2026".into(),
        is_over: false,
        measures: measures
            .map(|(what, value)| Measure {
                what,
                value: value.clone(),
            })
            .collect(),
        picture: charts::months("Mở tên", 5, &bars),
        months: (1..=12)
            .rev()
            .map(|month| MonthRow {
                month: format!("2026-{month:02}"),
                shown: format!("{month:02}/2026"),
                values: values.clone(),
            })
            .collect(),
        note: "diem-kiem-dich/audit/0f5a0c7c\n123\n0FHaNv3LBO6FtFdTIM+1HNlOSuZdyeSgbE9rAvBZLjo=\n\n\
               — diem-kiem-dich/audit/0f5a0c7c Az3grlgtzPICa5OS8npVmf1Myq/5IZniAz3grlgtzPICa5OS8npVmf1Myq/5IZni\n"
            .into(),
        signed: "14:05, 23/11/2026".into(),
        public_key: PUBLIC_KEY.into(),
    }
}

fn provinces() -> Vec<Choice> {
    [
        ("01", "Thành phố Hà Nội"),
        ("04", "Tỉnh Cao Bằng"),
        ("08", "Tỉnh Tuyên Quang"),
        ("48", "Thành phố Đà Nẵng"),
        ("75", "Thành phố Đồng Nai"),
        ("79", "Thành phố Hồ Chí Minh"),
        ("80", "Tỉnh Tây Ninh"),
        ("92", "Thành phố Cần Thơ"),
    ]
    .into_iter()
    // As many as there are today, for the page's size.
    .cycle()
    .take(34)
    .enumerate()
    .map(|(index, (code, name))| Choice::new(format!("{code}{index}"), name))
    .collect()
}

fn kinds(page: &Page) -> Vec<Choice> {
    crate::web::kinds(page)
}

fn place() -> Place {
    Place {
        code: "7K3M9QX2V8RDW4T6HN1B5CZJ0F".into(),
        name: "Cổng chính".into(),
        venue: "Chợ Mẫu Đơn".into(),
        kind: "Chợ".into(),
        address: "12 đường Số 1, Phường Mẫu, Tỉnh Tây Ninh".into(),
        open: true,
    }
}

fn visitor(p: Page, f: Form, valid_until: Option<String>) -> Visitor {
    Visitor {
        p,
        place: place(),
        id: "019a0000-0000-7000-8000-000000000000".into(),
        valid_until,
        f,
        nations: crate::web::nations::choices(Lang::Vi),
        other_nations: crate::web::nations::others(),
        provinces: provinces(),
        wards: Vec::new(),
        symptoms: crate::declarations::Symptom::ALL
            .map(crate::declarations::Symptom::as_str)
            .to_vec(),
        look_back_days: 14,
        consent_version: "2026-1",
    }
}

fn first_form() -> Form {
    Form::of(vec![("nationality".into(), "VN".into())])
}

fn failed_form(page: &Page) -> Form {
    let mut form = Form::of(vec![
        ("nationality".into(), "VN".into()),
        ("full_name".into(), "Đỗ Thị Ổi".into()),
        ("sex".into(), "female".into()),
        ("phone".into(), "12".into()),
        ("symptoms".into(), "yes".into()),
        ("travel".into(), "no".into()),
        ("contact_case".into(), "no".into()),
        ("contact_affected_area".into(), "no".into()),
        ("ward".into(), "xuan loc".into()),
    ]);
    for (field, code) in [
        ("birth_year", "required"),
        ("phone", "invalid"),
        ("province", "required"),
        ("ward", "ambiguous"),
        ("street", "required"),
        ("symptom", "required"),
        ("contact_symptomatic", "required"),
        ("consent", "required"),
    ] {
        form.fail(page, field, code);
    }
    form
}

fn receipt(p: Page, risk: &str, left: Option<&str>) -> Receipt {
    Receipt {
        p,
        place: place(),
        id: "019a0000-0000-7000-8000-000000000000".into(),
        risk: risk.into(),
        receipt: "7K3M-9QX2".into(),
        companions: 2,
        entered_iso: "2026-11-22T07:31:05.000Z".into(),
        entered_time: "14:31:05".into(),
        entered_date: "22/11/2026".into(),
        left_iso: String::new(),
        left_time: left.map(str::to_owned),
        now_ms: 1_795_000_000_000,
        now_time: "14:31:09".into(),
    }
}

fn cards() -> Vec<CheckpointCard> {
    ["Cửa chính", "Phòng họp 2 (Halle)", "Xe 51B-123.45"]
        .into_iter()
        .enumerate()
        .map(|(index, name)| CheckpointCard {
            id: format!("0b5e6d00-0000-4000-8000-00000000000{index}"),
            name: name.into(),
            kind: "Quán ăn".into(),
            code: "7K3M9QX2V8RDW4T6HN1B5CZJ0F".into(),
            code_grouped: "7K3M-9QX2-V8RD-W4T6-HN1B-5CZJ-0F".into(),
            closed: index == 2,
            open: index == 0,
            gate_of: (index == 1).then(|| "Cửa chính".to_owned()),
            poster: format!("/api/v1/checkpoints/{index}/poster"),
        })
        .collect()
}

fn arrivals(page: &Page) -> Arrivals {
    let counts = [
        0_u64, 0, 0, 0, 0, 4, 38, 71, 52, 40, 33, 47, 60, 28, 22, 25, 41, 66, 58, 30, 12, 3, 0, 0,
    ];
    let hours: Vec<Hour> = counts
        .iter()
        .enumerate()
        .map(|(hour, n)| Hour {
            label: format!("{hour:02}:00"),
            n: *n,
        })
        .collect();
    let bars: Vec<_> = hours
        .iter()
        .map(|hour| (hour.label[..2].to_owned(), hour.n))
        .collect();
    Arrivals {
        day: "22/11/2026".into(),
        total: counts.iter().sum(),
        inside: 41,
        out_share: "63 %".into(),
        chart: charts::hours(&page.t("arrivals-by-hour"), &bars),
        hours,
        latest: ["Nguyễn Văn***", "Đỗ Thị***", "O'***", "=HYPER***"]
            .into_iter()
            .map(|name| Arrival {
                entered: "14:31".into(),
                left: String::new(),
                name: name.into(),
                phone: "0912345 ***".into(),
                checkpoint: "Cửa chính".into(),
            })
            .collect(),
    }
}

fn venue_page(p: Page) -> VenuePage {
    let arrivals = arrivals(&p);
    VenuePage {
        p,
        venue: VenueHead {
            id: "0b5e6d00-0000-4000-8000-0000000000aa".into(),
            name: "<b>Phở & Bún</b> Halle (Saale)".into(),
            kind: "Quán ăn".into(),
            address: "12 đường Số 1, Phường Mẫu, Tỉnh Tây Ninh".into(),
        },
        fresh: true,
        checkpoints: cards(),
        arrivals,
    }
}

fn checkpoint_page(p: Page, existing: bool) -> CheckpointPage {
    let card = cards().remove(0);
    CheckpointPage {
        title: if existing {
            card.name.clone()
        } else {
            p.t("checkpoint-add")
        },
        venue_id: "0b5e6d00-0000-4000-8000-0000000000aa".into(),
        venue_name: "Phở Mẫu".into(),
        saved: existing,
        arrivals: existing.then(|| arrivals(&p)),
        action: "/venues/0b5e6d00-0000-4000-8000-0000000000aa/checkpoints/new".into(),
        f: Form::of(vec![
            ("name".into(), card.name.clone()),
            ("open_mon".into(), "07:00".into()),
            ("close_mon".into(), "21:30".into()),
        ]),
        existing: existing.then_some(card),
        kinds: kinds(&p),
        gates: vec![Choice::new("x", "Cửa sau")],
        days: crate::web::WEEK,
        p,
    }
}

fn openapi() -> serde_json::Value {
    json!({
        "info": {"title": "diem-kiem-dich", "version": "0.1.0", "description": "QR checkpoints."},
        "tags": [{"name": "venues", "description": "Venues and checkpoints"}],
        "paths": {
            "/api/v1/venues": {"post": {"tags": ["venues"], "summary": "Register a venue",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewVenue"}}}},
                "responses": {"201": {"description": "Made"}, "422": {"description": "Wrong values"}}}},
            "/api/v1/venues/{id}": {"get": {"tags": ["venues"], "summary": "One venue", "security": [{"bearer": []}],
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}, "description": "The venue"}],
                "responses": {"200": {"description": "It", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewVenue"}}}}}}}},
        "components": {"schemas": {
            "NewVenue": {"type": "object", "description": "A venue to register.", "required": ["name"],
                "properties": {"name": {"type": "string", "description": "1-100 characters"}, "kind": {"$ref": "#/components/schemas/Kind"}}},
            "Kind": {"type": "string", "enum": ["office", "market"]}}}
    })
}

/// Every page with its samples: a name for the file, and the markup.
pub(super) fn samples(lang: Lang) -> Vec<(&'static str, String)> {
    let errors = failed_form(&page(lang));
    let mut ambiguous = visitor(page(lang), errors.clone(), None);
    ambiguous.wards = vec![
        Choice::new("1", "Xã Xuân Lộc"),
        Choice::new("2", "Phường Xuân Lộc"),
    ];
    let message = page(lang);
    let message = Message {
        title: message.t("busy-title"),
        text: message.t("busy-text"),
        retry: true,
        request_id: "019a0000-0000-7000-8000-000000000000".into(),
        p: message,
    };
    let mut login = Login {
        p: page(lang),
        f: Form::default(),
        next: "/cases".into(),
    };
    login.f.fail(&login.p, "login", "wrong");
    let register = page(lang);
    let mut all = vec![
        (
            "home",
            render(&Home {
                p: page(lang),
                unknown: String::new(),
            }),
        ),
        (
            "home-unknown",
            render(&Home {
                p: page(lang),
                unknown: "ABC".into(),
            }),
        ),
        (
            "visitor-first",
            render(&visitor(page(lang), first_form(), None)),
        ),
        ("visitor-errors", render(&visitor(page(lang), errors, None))),
        ("visitor-ambiguous", render(&ambiguous)),
        (
            "visitor-again",
            render(&visitor(
                page(lang),
                first_form(),
                Some("14:05, 23/11".into()),
            )),
        ),
        ("receipt-clear", render(&receipt(page(lang), "clear", None))),
        (
            "receipt-caution",
            render(&receipt(page(lang), "caution", None)),
        ),
        ("receipt-stop", render(&receipt(page(lang), "stop", None))),
        (
            "receipt-left",
            render(&receipt(page(lang), "clear", Some("15:02:44"))),
        ),
        ("message", render(&message)),
        ("login", render(&login)),
        (
            "register",
            render(&Register {
                f: Form::default(),
                kinds: kinds(&register),
                provinces: provinces(),
                wards: Vec::new(),
                p: register,
            }),
        ),
        ("transparency", render(&transparency(lang))),
        ("docs", render(&reference::read(page(lang), &openapi()))),
    ];
    all.extend(owned(lang));
    all.extend(official::samples(lang));
    all.extend(own::samples(lang));
    all
}

/// The owner's pages.
fn owned(lang: Lang) -> Vec<(&'static str, String)> {
    vec![
        (
            "venues",
            render(&Venues {
                p: owner(lang),
                venues: vec![VenueRow {
                    id: "x".into(),
                    name: "Phở Mẫu".into(),
                    kind: "Quán ăn".into(),
                    address: "12 đường Số 1, Phường Mẫu".into(),
                    checkpoints: 3,
                }],
            }),
        ),
        ("venue", render(&venue_page(owner(lang)))),
        ("checkpoint", render(&checkpoint_page(owner(lang), true))),
        (
            "checkpoint-new",
            render(&checkpoint_page(owner(lang), false)),
        ),
    ]
}

fn render(page: &impl Template) -> String {
    page.render().expect("a page renders")
}
