//! Samples of the pages about people's own data.

use super::*;

fn fact(name: &str, value: &str) -> Fact {
    Fact {
        name: name.into(),
        value: value.into(),
    }
}

fn declared() -> Vec<DeclaredRow> {
    vec![
        DeclaredRow {
            id: "019a0000-0000-7000-8000-000000000000".into(),
            made: "08:30, 18/11/2026".into(),
            place: "Cổng chính, Chợ <b>Mẫu</b>".into(),
            contact: vec![
                fact("Họ và tên", "Đỗ Thị Ổi <script>"),
                fact("Số điện thoại", "0912345678"),
            ],
            answers: vec![fact("Bạn có đến nơi khác không?", "Không")],
            risk: "clear".into(),
            consent: "2026-1".into(),
            corrected: "09:00, 19/11/2026".into(),
            until: "07:00, 11/12/2026".into(),
        },
        DeclaredRow {
            id: "019a0000-0000-7000-8000-000000000001".into(),
            made: "08:30, 17/11/2026".into(),
            place: String::new(),
            contact: Vec::new(),
            answers: Vec::new(),
            risk: "undeclared".into(),
            consent: String::new(),
            corrected: String::new(),
            until: "07:00, 10/12/2026".into(),
        },
    ]
}

fn opened(lang: Lang) -> Vec<OpenedRow> {
    let p = page(lang);
    ["list", "export", "case"]
        .map(|purpose| OpenedRow {
            month: "11/2026".into(),
            purpose: p.tx("own-opened-for", purpose),
            office: p.t1("own-opened-office", "place", "Tỉnh Tây Ninh"),
            times: "2".into(),
        })
        .into()
}

fn stays() -> Vec<StayRow> {
    ["", "09:10, 18/11/2026"]
        .into_iter()
        .map(|left| StayRow {
            place: "Cổng chính, Chợ <b>Mẫu</b>".into(),
            address: "Đường Số 1, Phường Mẫu, Tỉnh Tây Ninh".into(),
            entered: "08:30, 18/11/2026".into(),
            left: left.into(),
            headcount: 3,
            until: "07:00, 10/12/2026".into(),
        })
        .collect()
}

fn request(kind: &str, state: &str) -> RequestRow {
    let open = state == "open";
    let held = state == "held";
    RequestRow {
        id: format!("0b5e6d00-0000-4000-8000-0000000000{}", kind.len() + 10),
        kind: kind.into(),
        state: state.into(),
        received: "08:30, 18/11/2026".into(),
        reply_due: if open { "20/11/2026" } else { "" }.into(),
        reply_late: open,
        due: "08/12/2026".into(),
        late: false,
        held_until: if held { "07:00, 10/12/2026" } else { "" }.into(),
        closed: if open || held {
            ""
        } else {
            "08:30, 18/11/2026"
        }
        .into(),
        can_extend: open,
        open,
        has_phone: open,
        phone: String::new(),
    }
}

fn data(lang: Lang, kept: bool) -> OwnData {
    OwnData {
        p: page(lang),
        f: Form::default(),
        done: if kept { "own-correct-done" } else { "" },
        phone: "0912345678".into(),
        open_until: "08:50, 18/11/2026".into(),
        declarations: if kept { declared() } else { Vec::new() },
        stays: if kept { stays() } else { Vec::new() },
        opened: if kept { opened(lang) } else { Vec::new() },
        opened_days: 730,
        requests: if kept {
            vec![request("erase", "held")]
        } else {
            Vec::new()
        },
    }
}

pub(super) fn samples(lang: Lang) -> Vec<(&'static str, String)> {
    let ask = |can_send, wrong| {
        let p = page(lang);
        let mut f = Form::default();
        if wrong {
            f.fail(&p, "phone", "number_wait");
        }
        render(&OwnAsk {
            p,
            f,
            can_send,
            form_token: "00".repeat(40),
            bits: 16,
            wait_seconds: 20,
        })
    };
    let mut steward = page(lang);
    steward.bar = Some(Bar {
        login: "vanhanh".into(),
        venues: false,
        cases: false,
        requests: true,
    });
    let requests = Requests {
        open: vec![request("other", "open"), request("erase", "held")],
        closed: vec![request("access", "done")],
        kinds: vec![Choice::new("other", "Việc khác")],
        extension_days: 15,
        p: steward,
    };
    let erased = |held: u64| {
        render(&OwnErased {
            p: page(lang),
            request: "0b5e6d00-0000-4000-8000-0000000000cc".into(),
            rows: 7,
            held,
            held_until: "07:00, 10/12/2026".into(),
            file_days: 90,
            opened_days: 730,
        })
    };
    vec![
        ("own-ask", ask(true, false)),
        ("own-ask-errors", ask(true, true)),
        ("own-ask-off", ask(false, false)),
        (
            "own-code",
            render(&OwnCode {
                p: page(lang),
                f: Form::default(),
                form_token: "00".repeat(40),
                phone: "0912345 ***".into(),
            }),
        ),
        ("own-data", render(&data(lang, true))),
        ("own-data-none", render(&data(lang, false))),
        (
            "own-copy",
            render(&OwnCopy {
                p: page(lang),
                phone: "0912345678".into(),
                made: "08:31, 18/11/2026".into(),
                declarations: declared(),
                stays: stays(),
                opened: opened(lang),
                opened_days: 730,
            }),
        ),
        ("own-erased", erased(0)),
        ("own-erased-held", erased(2)),
        (
            "own-correct",
            render(&OwnCorrect {
                p: page(lang),
                f: Form::of(vec![("full_name".into(), "Đỗ Thị Ổi".into())]),
                id: "019a0000-0000-7000-8000-000000000000".into(),
                made: "08:30, 18/11/2026".into(),
                provinces: provinces(),
                wards: Vec::new(),
            }),
        ),
        (
            "consents",
            render(&Consents {
                p: page(lang),
                versions: vec![ConsentText {
                    version: "2026-1".into(),
                    text: page(lang).consent("2026-1"),
                    current: true,
                }],
            }),
        ),
        ("requests", render(&requests)),
    ]
}
