//! Every word that a poster prints of itself, in both languages.
//!
//! In one file so that a translator sees all of it and a test can hold every character against the
//! font. No names of apps: a poster outlives them, and any phone's camera opens the address.

/// One text in both languages. Where both are printed, Vietnamese stands above and is larger.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

/// What the place is, above the title.
pub const KIND_OF_PLACE: Text = Text {
    vi: "ĐIỂM KIỂM DỊCH",
    en: "HEALTH CHECKPOINT",
};

/// What to do, in the largest letters of the band.
pub const TITLE: Text = Text {
    vi: "QUÉT MÃ ĐỂ KHAI BÁO Y TẾ",
    en: "SCAN TO DECLARE YOUR HEALTH",
};

/// The second language's title, in sentence case because it stands below capitals.
pub const SUBTITLE: &str = "Scan to declare your health";

/// The three steps, in order. The second one asks for both scans: without the one on leaving, a
/// stay has to be assumed.
pub const STEPS: [Text; 3] = [
    Text {
        vi: "Mở camera của điện thoại",
        en: "Open your phone’s camera",
    },
    Text {
        vi: "Quét mã khi đến và khi đi",
        en: "Scan when you arrive and when you leave",
    },
    Text {
        vi: "Trả lời tờ khai y tế",
        en: "Answer the health form",
    },
];

/// For people without a smartphone: nobody is turned away for the lack of one.
pub const WITHOUT_PHONE: Text = Text {
    vi: "Không có điện thoại? Đưa CCCD hoặc thẻ BHYT cho người kiểm soát.",
    en: "No phone? Show your ID card or health insurance card to the staff.",
};

/// Above the host name.
pub const GO_TO: Text = Text {
    vi: "Không quét được? Vào trang",
    en: "Cannot scan? Go to",
};

/// Above the typed code.
pub const TYPE_CODE: Text = Text {
    vi: "rồi nhập mã",
    en: "and type the code",
};

/// How long data is kept; `{days}` is the number of days.
pub const RETENTION: Text = Text {
    vi: "Dữ liệu chỉ dùng để phòng, chống dịch và được xóa sau {days} ngày.",
    en: "Data is used for disease control only and deleted after {days} days.",
};

/// Before or above the hotline's number.
pub const HOTLINE: Text = Text {
    vi: "Đường dây nóng",
    en: "Hotline",
};

/// Issue date (`{date}`, dd/MM/yyyy) and version, by which an inspector spots a stale poster.
pub const ISSUED: Text = Text {
    vi: "Phát hành {date} · Bản {version}",
    en: "Issued {date} · Version {version}",
};

/// Title of the PDF file.
pub const DOCUMENT: Text = Text {
    vi: "Áp phích điểm kiểm dịch",
    en: "Checkpoint poster",
};

/// Between two texts of one line.
pub const DOT: &str = " · ";

/// All of them, for the test that holds them against the font.
#[must_use]
pub fn all() -> Vec<&'static str> {
    let pairs = [
        KIND_OF_PLACE,
        TITLE,
        WITHOUT_PHONE,
        GO_TO,
        TYPE_CODE,
        RETENTION,
        HOTLINE,
        ISSUED,
        DOCUMENT,
    ];
    pairs
        .into_iter()
        .chain(STEPS)
        .flat_map(|text| [text.vi, text.en])
        .chain([SUBTITLE, DOT])
        .collect()
}
