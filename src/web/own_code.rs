//! Proving a number: the page that asks for it, and the code that comes back.
//!
//! The page answers a number that is known and one that is not alike. A browser with scripts works
//! for its code ([`work`]), one without waits.

use actix_web::{HttpResponse, http::StatusCode};

use super::{
    frame::{Frame, go},
    own_data::{PATH, language, person_cookie},
    page::Form,
    views::{OwnAsk, OwnCode},
};
use crate::{
    base::failure::Result,
    http::client_address,
    identity::Phone,
    otp::{self, Ask, Asked, FormToken, Purpose, Verdict, work},
    rights::session,
    store::Error,
};

/// What codes of this page are for.
const PURPOSE: Purpose = Purpose::OwnData;

/// The page that asks for a number.
pub fn ask_page(frame: &Frame, form: Form, status: StatusCode) -> Result<HttpResponse> {
    let app = &frame.app;
    let bound = frame.bound().unwrap_or_default();
    let now = app.clock.now();
    frame.show_with(
        status,
        &OwnAsk {
            p: frame.page(),
            f: form,
            can_send: app.carrier.is_some(),
            form_token: FormToken::make(app.keys.token(), &app.random, PURPOSE, &bound, now),
            bits: work::BITS,
            wait_seconds: work::WAIT_MS / 1000,
        },
    )
}

/// The page again, with one mistake in `field`.
fn ask_again(
    frame: &Frame,
    mut form: Form,
    code: &str,
    status: StatusCode,
) -> Result<HttpResponse> {
    form.fail(&frame.page(), "phone", code);
    ask_page(frame, form, status)
}

fn code_page(
    frame: &Frame,
    form: Form,
    token: &str,
    phone: Option<&Phone>,
    status: StatusCode,
) -> Result<HttpResponse> {
    frame.show_with(
        status,
        &OwnCode {
            p: frame.page(),
            f: form,
            form_token: token.to_owned(),
            phone: phone.map(Phone::masked).unwrap_or_default(),
        },
    )
}

/// A number: a code is sent to it, whether anything is kept under it or not.
pub async fn take_number(frame: Frame, mut form: Form) -> Result<HttpResponse> {
    let app = &frame.app;
    let page = frame.page();
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if app.carrier.is_none() {
        return ask_page(&frame, Form::default(), StatusCode::SERVICE_UNAVAILABLE);
    }
    if form.v("phone").is_empty() {
        return ask_again(&frame, form, "required", unprocessable);
    }
    let phone = match Phone::parse(form.v("phone")) {
        Ok(phone) => phone,
        Err(invalid) => {
            form.blame(&page, &[invalid.in_field("phone")], &[]);
            return ask_page(&frame, form, unprocessable);
        }
    };
    if !otp::is_reached(&phone) {
        return ask_again(&frame, form, "not_mobile", unprocessable);
    }
    let bound = frame.bound().unwrap_or_default();
    let token = form.v("form").to_owned();
    let now = app.clock.now();
    let read = FormToken::read(app.keys.token(), PURPOSE, &bound, &token, now);
    let Some(made) = read else {
        return ask_again(&frame, form, "form_old", unprocessable);
    };
    let worked = work::is_solved(&token, form.v("work"), work::BITS);
    if !worked && now.as_ms() - made.made_at.as_ms() < work::WAIT_MS {
        return ask_again(&frame, form, "form_fast", unprocessable);
    }
    app.limits.code(client_address(&frame.request), worked)?;
    let ask = Ask {
        purpose: PURPOSE,
        token: &token,
        binding: &bound,
        phone: &phone,
        language: language(frame.lang),
        daily_limit: app.settings.messages.daily_limit,
    };
    let asked = app
        .db
        .write(async |tx| otp::ask(tx, &app.keys, &app.random, ask).await)
        .await?;
    match asked {
        Asked::Sent => code_page(
            &frame,
            Form::default(),
            &token,
            Some(&phone),
            StatusCode::OK,
        ),
        Asked::Used => ask_again(&frame, form, "form_old", unprocessable),
        Asked::Wait(_) => ask_again(&frame, form, "number_wait", StatusCode::TOO_MANY_REQUESTS),
        Asked::Spent => ask_again(&frame, form, "spent", StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// A code that came back.
pub async fn take_code(frame: Frame, mut form: Form) -> Result<HttpResponse> {
    let app = &frame.app;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let bound = frame.bound().unwrap_or_default();
    let token = form.v("form").to_owned();
    // People type a blank in the middle.
    let digits: String = form.v("code").split_whitespace().collect();
    let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        form.fail(&frame.page(), "code", "six_digits");
        return code_page(&frame, form, &token, None, unprocessable);
    }
    app.limits.code_back(client_address(&frame.request))?;
    let desk = app.rights();
    let judged = app
        .db
        .write(async |tx| {
            let verdict = otp::verify(tx, &app.keys, PURPOSE, &token, &bound, &digits).await?;
            let secret = match &verdict {
                Verdict::Right(phone) => Some(session::open(tx, &desk, phone).await?),
                Verdict::Wrong(_) | Verdict::Gone => None,
            };
            Ok::<_, Error>((verdict, secret))
        })
        .await?;
    form.set("code", "");
    match judged {
        (_, Some(secret)) => {
            let mut answer = go(PATH);
            answer.cookie(person_cookie(&frame, secret, session::GOOD_FOR_MS / 1000));
            Ok(answer.finish())
        }
        (Verdict::Wrong(left), _) if left > 0 => {
            form.fail(&frame.page(), "code", "code_wrong");
            code_page(&frame, form, &token, None, unprocessable)
        }
        _ => ask_again(&frame, Form::default(), "code_gone", unprocessable),
    }
}
