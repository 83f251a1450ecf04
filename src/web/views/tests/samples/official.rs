//! Samples of the officer's pages.

use super::*;

fn officer(lang: Lang) -> Page {
    let mut page = page(lang);
    page.bar = Some(Bar {
        login: "canbo".into(),
        venues: false,
        cases: true,
        requests: false,
    });
    page
}

fn case_page(p: Page) -> CasePage {
    CasePage {
        p,
        f: Form::default(),
        budget: String::new(),
        id: "0b5e6d00-0000-4000-8000-0000000000bb".into(),
        number: "80-2026-0007".into(),
        disease: "COVID-19".into(),
        from: "14/11/2026 00:00".into(),
        until: "20/11/2026 24:00".into(),
        because: "2 ngày trước ngày khởi phát 16/11/2026, đến khi cách ly 20/11/2026.".into(),
        rule: "vn-11042 (CV 11042/BYT-DP, 29/12/2021)".into(),
        dates: vec![
            ("onset-on", "16/11/2026".into()),
            ("confirmed-on", "19/11/2026".into()),
        ],
        visits: (0..4)
            .map(|index| Visit {
                checkpoint: "Chợ Mẫu Đơn, Cổng chính".into(),
                kind: "Chợ".into(),
                from: "15/11/2026 06:42".into(),
                until: "07:30".into(),
                assumed: index % 2 == 1,
            })
            .collect(),
        runs: vec![Run {
            id: "0b5e6d00-0000-4000-8000-0000000000cc".into(),
            made: "20/11/2026 09:12".into(),
            people: 38,
        }],
    }
}

fn picture(page: &Page) -> Option<String> {
    let minute = 60_000;
    let start = 1_763_160_000_000_i64;
    let span = |from: i64, length: i64, assumed| charts::Span {
        from: start + from * minute,
        until: start + (from + length) * minute,
        assumed,
    };
    let lane = |place: &str, shift: i64| charts::Lane {
        place: place.into(),
        case: vec![span(shift + 20, 75, false)],
        rows: [
            ("Nguyễn Văn Mẫu", 0, 50, false),
            ("Đỗ Thị Ổi", 30, 60, true),
            ("O'Brien", 55, 30, false),
            ("Lê Hoàng Thị Thanh Hương Mẫu", 80, 45, true),
        ]
        .into_iter()
        .map(|(name, from, length, assumed)| charts::Row {
            name: name.into(),
            spans: vec![span(shift + from, length, assumed)],
        })
        .collect(),
    };
    let words = charts::Words {
        title: &page.t("timeline"),
        case: &page.t("timeline-case"),
    };
    charts::timeline(
        words,
        &[
            lane("Chợ Mẫu Đơn, Cổng chính", 0),
            lane("Xe buýt 51B-123.45", 1500),
        ],
    )
}

fn lookup(p: Page, opened: bool) -> LookupPage {
    LookupPage {
        budget: p.t2("budget-people", "spent", 12, "budget", p.num(50_000)),
        id: "0b5e6d00-0000-4000-8000-0000000000cc".into(),
        case: Some((
            "0b5e6d00-0000-4000-8000-0000000000bb".into(),
            "80-2026-0007".into(),
        )),
        ring1: 1038,
        ring2: None,
        referred: 4,
        locked: false,
        may_release: false,
        referrals: vec![("Thành phố Hồ Chí Minh".into(), 4)],
        warnings: vec!["Kết quả trên 1.000 người: hãy xem lại khoảng thời gian.".into()],
        parameters: vec![
            (p.t("param-document"), "123/QĐ-SYT".into()),
            (p.t("param-min-minutes"), "15".into()),
            (p.t("param-residual-air"), p.t("minutes-by-rule")),
        ],
        people: opened.then(|| {
            ["Nguyễn Văn Mẫu", "Đỗ Thị Ổi", "O'Brien"]
                .into_iter()
                .enumerate()
                .map(|(index, name)| Exposure {
                    ring: 1,
                    name: name.into(),
                    phone: "0901234567".into(),
                    checkpoint: "Chợ Mẫu Đơn, Cổng chính".into(),
                    from: "15/11 06:50".into(),
                    until: "07:30".into(),
                    assumed: index == 1,
                    certain: "28,0".into(),
                    possible: "40,0".into(),
                    status: "candidate".into(),
                })
                .collect()
        }),
        picture: if opened { picture(&p) } else { None },
        next: opened.then(|| "abc".to_owned()),
        p,
    }
}

fn proof(p: Page, with_otp: bool) -> Proof {
    let mut form = Form::default();
    if with_otp {
        form.fail(&p, "otp", "used");
    }
    Proof {
        p,
        f: form,
        action: "/lookups/new".into(),
        kept: vec![("reason".into(), "Điều tra \"ổ dịch\" <b>".into())],
        with_otp,
    }
}

fn sessions(p: Page) -> Sessions {
    let row = |id: &str, is_this: bool| SessionRow {
        id: id.into(),
        is_browser: is_this,
        is_this,
        created: "08:05, 23/11/2026".into(),
        seen: "09:12, 23/11/2026".into(),
        until: "20:05, 23/11/2026".into(),
    };
    Sessions {
        p,
        rows: vec![
            row("0b5e6d00-0000-4000-8000-0000000000dd", true),
            row("0b5e6d00-0000-4000-8000-0000000000ee", false),
        ],
    }
}

/// The officer's pages.
pub(super) fn samples(lang: Lang) -> Vec<(&'static str, String)> {
    vec![
        (
            "cases",
            render(&Cases {
                p: officer(lang),
                cases: vec![CaseRow {
                    id: "x".into(),
                    number: "80-2026-0007".into(),
                    disease: "COVID-19".into(),
                    confirmed: "19/11/2026".into(),
                    from: "14/11/2026".into(),
                    until: String::new(),
                }],
                next: None,
            }),
        ),
        (
            "case-new",
            render(&CaseNew {
                p: officer(lang),
                f: Form::default(),
                rules: vec![Choice::new("vn-11042", "vn-11042")],
            }),
        ),
        ("case", render(&case_page(officer(lang)))),
        (
            "lookup-new",
            render(&LookupNew {
                p: officer(lang),
                f: Form::default(),
                budget: officer(lang).t2("budget-lookups", "spent", 3, "budget", 300),
            }),
        ),
        ("proof", render(&proof(officer(lang), true))),
        ("proof-owner", render(&proof(owner(lang), false))),
        ("sessions", render(&sessions(officer(lang)))),
        ("lookup", render(&lookup(officer(lang), false))),
        ("lookup-people", render(&lookup(officer(lang), true))),
    ]
}
