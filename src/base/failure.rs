//! The failure table: every way in which a request can fail is one row here.
//!
//! Titles and messages are static text, Vietnamese first, so that no caller's data can slip into an
//! error. Rooms return [`Failure`]; the edges turn it into a problem document or a page.

use std::borrow::Cow;

use crate::base::Timestamp;

/// Declares [`Kind`] and its table in one place.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $vi:literal $en:literal;)*) => {
        /// One way in which a request can fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, for the documentation and the tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable machine-readable name.
            #[must_use]
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }
            /// What happened and what to do, in Vietnamese.
            #[must_use]
            pub const fn vi(self) -> &'static str { match self { $(Self::$name => $vi,)* } }
            /// What happened and what to do, in English.
            #[must_use]
            pub const fn en(self) -> &'static str { match self { $(Self::$name => $en,)* } }
        }
    };
}

kinds! {
    /// The body is not JSON, or not of the declared type.
    Malformed "malformed" 400 "Nội dung gửi lên không đọc được; hãy kiểm tra cú pháp." "The body cannot be read; check its syntax.";
    /// A token is needed and there is none, or it is not good any more.
    Unauthorized "unauthorized" 401 "Hãy đăng nhập rồi thử lại." "Log in and try again.";
    /// Login and password do not go together.
    LoginFailed "login_failed" 401 "Tên đăng nhập, mật khẩu hoặc mã một lần không đúng." "Login, password or one-time password is wrong.";
    /// The account logs in with a one-time password too, and there was none.
    OtpNeeded "otp_needed" 401 "Tài khoản này cần thêm mã một lần từ ứng dụng xác thực; hãy gửi kèm otp." "This account also needs the one-time password of its authenticator app; send it as otp.";
    /// The one-time password was used before.
    OtpUsed "otp_used" 401 "Mã một lần này đã dùng rồi; hãy đợi mã kế tiếp." "This one-time password was used already; wait for the next one.";
    /// The account's role may not do this.
    Forbidden "forbidden" 403 "Vai trò của tài khoản này không được làm việc đó." "The role of this account may not do that.";
    /// The last proof of who is calling is too old for this.
    ProofNeeded "proof_needed" 403 "Việc này cần xác minh lại trong 15 phút gần nhất: gửi mã một lần tới /api/v1/sessions/current/proof rồi thử lại." "This needs a proof of the last 15 minutes: send a one-time password to /api/v1/sessions/current/proof and try again.";
    /// The form was not sent from our own page.
    ForeignForm "foreign_form" 403 "Biểu mẫu đã cũ hoặc không gửi từ trang này; hãy mở lại trang." "The form is stale or was not sent from this site; open the page again.";
    /// A large result needs a second person first.
    ReleaseNeeded "release_needed" 403 "Kết quả lớn: cần người phụ trách thứ hai duyệt trước khi mở." "A result of this size opens only after release by a second person.";
    /// Not there, or somebody else's: answered alike.
    NotFound "not_found" 404 "Không tìm thấy." "Not found.";
    /// The path exists, the method does not.
    MethodNotAllowed "method_not_allowed" 405 "Đường dẫn này không nhận phương thức đó." "This path does not take that method.";
    /// The body did not arrive in time.
    Slow "too_slow" 408 "Nội dung gửi lên đến quá chậm; chưa lưu gì cả, hãy gửi lại." "The body arrived too slowly; nothing was stored, send again.";
    /// It exists already.
    Conflict "conflict" 409 "Đã tồn tại." "It exists already.";
    /// The checkpoint was closed for good.
    Closed "closed" 410 "Điểm kiểm dịch này đã đóng." "This checkpoint is closed.";
    /// The body is larger than the path takes.
    TooLarge "too_large" 413 "Nội dung gửi lên quá lớn." "The body is too large.";
    /// The body is of a type that the path does not take.
    WrongType "unsupported_media_type" 415 "Kiểu nội dung không được hỗ trợ; hãy gửi JSON." "The content type is not supported; send JSON.";
    /// Fields do not hold what they should; see `errors`.
    Invalid "invalid" 422 "Có trường chưa đúng; xem danh sách lỗi." "Some fields are not right; see the list of errors.";
    /// The time in a check-in's id is too far from now.
    ClockOutOfRange "clock_out_of_range" 422 "Đồng hồ của máy lệch quá nhiều; hãy chỉnh theo server_time rồi gửi lại." "The device's clock is too far off; correct it by server_time and send again.";
    /// Too many requests of one kind.
    TooMany "too_many_requests" 429 "Quá nhiều yêu cầu; hãy đợi một lát." "Too many requests; wait a moment.";
    /// The officer's budget of the day is spent.
    BudgetSpent "budget_spent" 429 "Hạn mức hôm nay của tài khoản đã hết. Người vận hành nâng được bằng lệnh account budget; qua nửa đêm hạn mức được tính lại." "This account's budget for today is spent. The operator can raise it with the command account budget; it starts anew at midnight.";
    /// A failure of ours, logged once.
    Internal "internal" 500 "Lỗi của máy chủ; đã được ghi lại." "A failure of the server; it was logged.";
    /// Cannot be done now; nothing was stored.
    Unavailable "unavailable" 503 "Máy chủ đang bận; chưa lưu gì cả, hãy gửi lại." "The service is busy; nothing was stored, send again.";
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field as in the body: `declaration.phone`.
    pub field: Cow<'static, str>,
    /// The stable machine-readable name of the mistake.
    pub code: &'static str,
    /// What to do, in Vietnamese. Static: it never repeats what was sent.
    pub vi: &'static str,
    /// What to do, in English. Static likewise.
    pub en: &'static str,
}

impl FieldError {
    /// A mistake in `field`.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        vi: &'static str,
        en: &'static str,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            vi,
            en,
        }
    }

    /// The field is missing.
    pub fn required(field: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            field,
            "required",
            "Hãy điền mục này.",
            "Fill in this field.",
        )
    }

    /// The field holds something that it cannot hold.
    pub fn invalid(field: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            field,
            "invalid",
            "Giá trị không hợp lệ.",
            "This value is not allowed here.",
        )
    }

    /// The same mistake, with `prefix` and a dot before the field's path.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.field = Cow::Owned(format!("{prefix}.{}", self.field));
        self
    }
}

/// A request that failed: what the caller is told, and what the log is told.
#[derive(Debug)]
pub struct Failure {
    /// The row of the table.
    pub kind: Kind,
    /// What is wrong field by field, where fields are to blame.
    pub fields: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// The server's time, where the caller's clock is to blame.
    pub server_time: Option<Timestamp>,
    /// What caused it, for the log. Never shown.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure of `kind`, with no more to say.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            fields: Vec::new(),
            retry_after: None,
            server_time: None,
            source: None,
        }
    }

    /// Fields that do not hold what they should.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(Kind::Invalid)
        }
    }

    /// A failure of ours.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Kind::Internal)
        }
    }

    /// Busy: try again after `seconds`.
    #[must_use]
    pub fn busy(seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(Kind::Unavailable)
        }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl From<FieldError> for Failure {
    fn from(field: FieldError) -> Self {
        Self::invalid(vec![field])
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.en())?;
        for field in &self.fields {
            write!(f, " {}: {}", field.field, field.en)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// What a rule of a room gives: a value, or a row of the failure table.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Collects the mistakes while what is right goes through.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<FieldError>);

impl Errors {
    /// What is right; a mistake is kept.
    pub fn keep<T>(&mut self, result: std::result::Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// As [`Self::keep`], of a field that must be there.
    pub fn required<T, U>(
        &mut self,
        field: &'static str,
        value: Option<T>,
        parse: impl FnOnce(T) -> std::result::Result<U, FieldError>,
    ) -> Option<U> {
        let value = value.ok_or_else(|| FieldError::required(field));
        self.keep(value.and_then(parse))
    }

    /// `Some(None)` when there is nothing, `None` when there is a mistake. Empty text is nothing:
    /// that is what a form without JavaScript sends.
    pub fn optional<U>(
        &mut self,
        value: Option<String>,
        parse: impl FnOnce(String) -> std::result::Result<U, FieldError>,
    ) -> Option<Option<U>> {
        match value.filter(|text| !text.trim().is_empty()) {
            None => Some(None),
            Some(text) => self.keep(parse(text)).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_texts_are_there() {
        let mut codes: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!((400..=599).contains(&kind.status()), "{kind:?}");
            assert!(kind.vi().len() > 8 && kind.en().len() > 8, "{kind:?}");
        }
    }
}
