//! What both edges stand on: application state, guards, problem documents, request limits.
//!
//! The server and the tests build from the same [`App`]. The permission is in a handler's type: a
//! [`Caller`] of a [`Permission`] cannot be had by anybody else.

mod app;
pub mod body;
mod caller;
mod headers;
mod leaving;
mod limits;
mod offload;
mod page;
pub mod problem;
mod routes;

pub use app::{App, Shared, StartError, prepare};
pub use body::{Json, Path, Query};
pub use caller::{
    AnyRole, BrowserCaller, COOKIE, Caller, Fresh, LeadOnly, Officers, Operators, Owners,
    Permission, Stewards, judge,
};
pub use headers::{CAMERA_HERE, REPORTS, RequestIds, client_address, finish, wrap};
pub use leaving::Leaving;
pub use limits::Limits;
pub use offload::Offload;
pub use page::{Cursor, List, PageQuery};
pub use routes::{Methods, Route};
