//! Venues: registering oneself, and one's own list.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{Account, Passwords, Role},
    base::{Timestamp, failure::Result},
    http::{
        App, Caller, Json, List, Owners, PageQuery, Path, Query, Shared, client_address,
        problem::Problem,
    },
    regions::Regions,
    store::Tx,
    venues::{self, Address, NewVenue, PlaceKind, Venue},
};

/// An address with the names of its places.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressView {
    /// Code of the province.
    province: String,
    /// Name of the province.
    province_name: String,
    /// Code of the ward.
    ward: String,
    /// Name of the ward.
    ward_name: String,
    /// House number and street.
    street: String,
    /// All of it in one line.
    text: String,
}

impl AddressView {
    /// `address` with the names of its places.
    #[must_use]
    pub fn new(address: &Address, regions: &Regions) -> Self {
        Self {
            province: address.province.to_string(),
            province_name: address.province_name(regions).to_owned(),
            ward: address.ward.to_string(),
            ward_name: address.ward_name(regions).to_owned(),
            street: address.street.to_string(),
            text: address.line(regions),
        }
    }
}

/// Whom the health department asks for.
#[derive(Serialize, ToSchema)]
pub struct ContactView {
    name: String,
    /// In E.164.
    phone: String,
}

/// A venue.
#[derive(Serialize, ToSchema)]
pub struct VenueView {
    id: Uuid,
    name: String,
    kind: PlaceKind,
    address: AddressView,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl VenueView {
    fn new(venue: &Venue, regions: &Regions, contact: Option<ContactView>) -> Self {
        Self {
            id: venue.public_id,
            name: venue.name.to_string(),
            kind: venue.kind,
            address: AddressView::new(&venue.address, regions),
            contact,
            created_at: venue.created_at,
        }
    }
}

/// The account of a venue's owner.
#[derive(Serialize, ToSchema)]
pub struct OwnerView {
    id: Uuid,
    /// The contact's number in E.164.
    login: String,
}

/// What registering gives.
#[derive(Serialize, ToSchema)]
pub struct Registered {
    venue: VenueView,
    account: OwnerView,
}

/// Make a venue and the account of its owner, for either edge.
///
/// # Errors
///
/// [`crate::base::Kind::Invalid`] with every mistake, [`crate::base::Kind::Conflict`] when the number
/// has an account already, [`crate::base::Kind::TooMany`].
pub async fn register_with(
    app: &App,
    request: &HttpRequest,
    new: NewVenue,
) -> Result<(Venue, Account, ContactView)> {
    app.limits.registration(client_address(request))?;
    let draft = new.parse(&app.regions);
    let password = SecretString::from(new.password);
    let draft = match (draft, Passwords::acceptable(&password)) {
        (Ok(draft), Ok(())) => draft,
        (Err(failure), Ok(())) => return Err(failure),
        (Ok(_), Err(mistake)) => return Err(mistake.into()),
        (Err(mut failure), Err(mistake)) => {
            failure.fields.push(mistake);
            return Err(failure);
        }
    };
    let strength = Role::VenueOwner.strength();
    let hash = app.passwords.hash(password, strength).await?;
    // All that the answer says is known before the commit: a venue that is stored is answered so.
    app.db
        .write(async |tx| {
            let (venue, account) =
                venues::register(tx, &app.keys, &app.random, &draft, &hash).await?;
            let contact = contact_in(tx, app, &venue).await?;
            Ok((venue, account, contact))
        })
        .await
}

/// Register a venue and the account of its owner.
#[utoipa::path(post, path = "/api/v1/venues", tag = "Venues", request_body = NewVenue,
    responses((status = 201, body = Registered), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn register(
    app: Shared,
    request: HttpRequest,
    body: Json<NewVenue>,
) -> Result<HttpResponse> {
    let (venue, account, contact) = register_with(&app, &request, body.0).await?;
    let login = contact.phone.clone();
    Ok(HttpResponse::Created().json(Registered {
        venue: VenueView::new(&venue, &app.regions, Some(contact)),
        account: OwnerView {
            id: account.id,
            login,
        },
    }))
}

/// The caller's venues, in the order of their making.
#[utoipa::path(get, path = "/api/v1/venues", tag = "Venues",
    security(("bearer" = [])),
    responses((status = 200, body = List<VenueView>), (status = 401, body = Problem)))]
pub async fn list(
    app: Shared,
    caller: Caller<Owners>,
    page: Query<PageQuery>,
) -> Result<web::Json<List<VenueView>>> {
    let page = page.0.read()?;
    let after = page.after_or(Uuid::nil())?;
    let owner = caller.account.id;
    let venues = app
        .db
        .read(async |tx| venues::venues_of(tx, owner, Some(after), page.limit + 1).await)
        .await?;
    let list = page.list(venues, |venue| venue.public_id.to_string());
    Ok(web::Json(
        list.map(|venue| VenueView::new(&venue, &app.regions, None)),
    ))
}

/// One of the caller's venues.
#[utoipa::path(get, path = "/api/v1/venues/{id}", tag = "Venues", security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = VenueView), (status = 404, body = Problem)))]
pub async fn show(
    app: Shared,
    caller: Caller<Owners>,
    id: Path<Uuid>,
) -> Result<web::Json<VenueView>> {
    let owner = caller.account.id;
    let venue = app
        .db
        .read(async |tx| venues::own_venue(tx, owner, id.0).await)
        .await?;
    let contact = contact(&app, &venue).await?;
    let view = VenueView::new(&venue, &app.regions, Some(contact));
    Ok(web::Json(view))
}

async fn contact(app: &App, venue: &Venue) -> Result<ContactView> {
    app.db
        .read(async |tx| contact_in(tx, app, venue).await)
        .await
}

async fn contact_in(tx: &mut Tx, app: &App, venue: &Venue) -> Result<ContactView> {
    let contact = venues::contact_of(tx, &app.keys, venue).await?;
    Ok(ContactView {
        name: contact.name,
        phone: contact.phone,
    })
}
