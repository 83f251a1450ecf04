//! Checking in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    COMPANIONS_MAX, Door, ONLINE_MS, assurance,
    door::arrival,
    journal::{Answer, Arrival},
    source,
    store::Row,
};
use crate::{
    base::{Failure, FieldError, Kind, Timestamp, failure::Result, ids},
    declarations::{Draft, Sealed, store::Row as DeclarationRow, token::Claim},
    venues::{Checkpoint, Entry},
};

/// A check-in as it is sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckIn {
    /// A UUIDv7 whose time is the arrival; absent, the server makes one. Sent again with the same
    /// checkpoint, the first answer stands.
    pub id: Option<Uuid>,
    /// The code on the poster, as it was scanned or typed.
    #[schema(example = "4C7XQ-2MZ8V-0R5TK-9W3NB-E6HYJ1")]
    pub checkpoint: String,
    /// The declaration; a returning visitor sends `declaration_token` instead.
    pub declaration: Option<Box<Draft>>,
    /// The token of a declaration that was made within 24 h before the arrival.
    pub declaration_token: Option<String>,
    /// People who come along without names, 0 to 50.
    #[schema(minimum = 0, maximum = 50)]
    pub companions: Option<i64>,
    /// The rotating code on the checkpoint's screen, where it has one.
    pub screen_code: Option<String>,
}

/// The checkpoint in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CheckInPlace)]
pub struct At {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

impl At {
    pub(super) fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            code: checkpoint.code.to_string(),
            name: checkpoint.name.to_string(),
        }
    }
}

/// A check-in that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckedIn {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub checkpoint: At,
    /// When: the time in the id.
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: Timestamp,
    /// What followed from the declaration.
    pub risk: crate::declarations::Risk,
    /// The token for the next check-in.
    pub declaration_token: String,
    /// Eight digits in two groups, to compare.
    pub receipt: String,
    /// Whether this request stored it: 201, else 200.
    #[serde(skip)]
    pub fresh: bool,
}

/// Check a visitor in.
///
/// Sent again, with whatever content, the first answer stands: so where the content is refused, and
/// only there, the store is asked whether it was answered before.
///
/// # Errors
///
/// [`Kind::NotFound`] and [`Kind::Closed`] for the checkpoint, [`Kind::ClockOutOfRange`] for the time
/// in the id, [`Kind::Invalid`] for fields, [`Kind::Unavailable`] when the journal is full.
pub async fn check_in(door: &Door, mut new: NewCheckIn) -> Result<CheckedIn> {
    let entry = door.checkpoint(&new.checkpoint).await?;
    let now = door.clock.now();
    let (id, given) = match new.id {
        Some(id) => (id, true),
        None => (ids::v7(now, &door.random), false),
    };
    let entered_at = arrival(id, now)?;
    let key = (entry.checkpoint.id, id);
    let token = new.declaration_token.take();
    let times = Times {
        id,
        entered_at,
        now,
    };
    let (answer, shown) = match prepare(door, &entry, times, new, token.as_deref()).await {
        Ok(prepared) => {
            let shown = prepared.shown();
            (door.journal.check_in(prepared).await?, shown)
        }
        Err(refused) if given && is_content(&refused) => {
            let first = Box::pin(door.first_answer(key)).await?;
            (first.ok_or(refused)?, None)
        }
        Err(refused) => return Err(refused),
    };
    let said = claim(&answer);
    Ok(CheckedIn {
        id,
        checkpoint: At::new(&entry.checkpoint),
        entered_at,
        risk: answer.risk,
        // The token of a claim is always the same: the one that was shown need not be signed again.
        declaration_token: token
            .filter(|_| shown == Some(said))
            .unwrap_or_else(|| door.tokens.sign(said)),
        receipt: door.receipt(key),
        fresh: answer.fresh,
    })
}

fn is_content(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Invalid | Kind::Closed)
}

fn claim(answer: &Answer) -> Claim {
    Claim {
        person: answer.person,
        declaration: answer.declaration_id,
        risk: answer.risk,
    }
}

impl Arrival {
    /// What the token says that was shown, where no declaration was.
    fn shown(&self) -> Option<Claim> {
        if self.declaration.is_some() {
            return None;
        }
        Some(Claim {
            person: self.row.person,
            declaration: self.row.declaration_id?,
            risk: self.risk,
        })
    }
}

/// The id of a check-in, the time in it, and the present.
#[derive(Clone, Copy)]
struct Times {
    id: Uuid,
    entered_at: Timestamp,
    now: Timestamp,
}

/// Everything up to the journal: judged, sealed, ready to write.
async fn prepare(
    door: &Door,
    entry: &Entry,
    times: Times,
    new: NewCheckIn,
    token: Option<&str>,
) -> Result<Arrival> {
    let Times {
        id,
        entered_at,
        now,
    } = times;
    // Who came before it closed was there, however late the phone finds a network.
    if entry
        .checkpoint
        .closed_at
        .is_some_and(|closed| entered_at >= closed)
    {
        return Err(Kind::Closed.into());
    }
    let mut errors = Vec::new();
    let companions = new.companions.unwrap_or(0);
    if !(0..=COMPANIONS_MAX).contains(&companions) {
        errors.push(FieldError::new(
            "companions",
            "out_of_range",
            "Số người đi cùng từ 0 đến 50.",
            "The number of companions is 0 to 50.",
        ));
    }
    let shown = match (new.declaration, token) {
        (Some(draft), None) => Box::pin(declared(door, id, *draft, now)).await,
        (None, Some(token)) => by_token(door, token, entered_at),
        (None, None) => Err(FieldError::required("declaration").into()),
        (Some(_), Some(_)) => Err(FieldError::new(
            "declaration_token",
            "one_of_two",
            "Chỉ gửi tờ khai hoặc mã tờ khai, không gửi cả hai.",
            "Send the declaration or its token, not both.",
        )
        .into()),
    };
    let (claim, declaration) = match shown {
        Ok(shown) if errors.is_empty() => shown,
        Ok(_) => return Err(Failure::invalid(errors)),
        Err(failure) if failure.kind == Kind::Invalid => {
            errors.extend(failure.fields);
            return Err(Failure::invalid(errors));
        }
        Err(failure) => return Err(failure),
    };
    // Also without a declaration to seal: rows of this day must have a place.
    door.make_ready(id).await?;
    let late = now.as_ms() - entered_at.as_ms() > ONLINE_MS;
    Ok(Arrival {
        row: Row {
            checkpoint_id: entry.checkpoint.id,
            id,
            person: claim.person,
            left_at: None,
            left_source: None,
            source: if late { source::LATE } else { source::ONLINE },
            assurance: assurance::POSTER,
            headcount: companions + 1,
            seat: None,
            declaration_id: Some(claim.declaration),
            received_at: now.as_ms(),
        },
        risk: claim.risk,
        declaration,
    })
}

/// A declaration that comes with the check-in has its id.
async fn declared(
    door: &Door,
    id: Uuid,
    draft: Draft,
    now: Timestamp,
) -> Result<(Claim, Option<DeclarationRow>)> {
    let row = seal(door, id, draft, now)
        .await
        .map_err(|failure| Failure {
            fields: failure
                .fields
                .into_iter()
                .map(|field| field.under("declaration"))
                .collect(),
            ..failure
        })?;
    let claim = Claim {
        person: row.1.person.id,
        declaration: id,
        risk: row.0,
    };
    // A phone may send late, or again, what was agreed to before consent was taken back.
    if door.withdrawn.covers(&claim) {
        return Err(FieldError::new(
            "declaration.consent",
            "withdrawn",
            "Sự đồng ý này đã được rút lại; hãy khai báo lại.",
            "This consent was withdrawn; declare again.",
        )
        .into());
    }
    Ok((claim, Some(row.1)))
}

/// Read and seal a declaration under `id`. Paths of mistakes begin inside the declaration.
pub(super) async fn seal(
    door: &Door,
    id: Uuid,
    draft: Draft,
    now: Timestamp,
) -> Result<(crate::declarations::Risk, DeclarationRow)> {
    let declaration = draft.parse(&door.regions, now).map_err(Failure::invalid)?;
    let person = declaration
        .contact
        .person(&door.pseudonymizer)
        .ok_or_else(|| Failure::from(FieldError::required("phone")))?;
    let key = door.key_of(id).await?;
    let sealed = Sealed::new(&declaration, person.id, id, &key, &door.random);
    let row = DeclarationRow {
        person,
        id,
        sealed,
        risk: declaration.risk.as_str(),
        province: declaration.province,
        consent_version: declaration.consent_version,
    };
    Ok((declaration.risk, row))
}

fn by_token(
    door: &Door,
    token: &str,
    entered_at: Timestamp,
) -> Result<(Claim, Option<DeclarationRow>)> {
    let claim = door.claim(token, entered_at).ok_or_else(|| {
        FieldError::new(
            "declaration_token",
            "token_not_good",
            "Tờ khai đã quá 24 giờ hoặc mã không đúng; hãy khai báo lại.",
            "The declaration is older than 24 hours or the token is not right; declare again.",
        )
    })?;
    Ok((claim, None))
}
