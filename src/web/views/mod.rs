//! What each page shows: one struct a template.
//!
//! The structs hold text that is ready to be shown (local times, masked names), so a template
//! decides nothing. Each has sample values, and a test renders every page with every sample in both
//! languages and looks at the result: no inline style or script (the content policy would refuse
//! them), one heading of the first level, a label for every field.

mod docs;
mod officer;
mod own;
mod public;
mod transparency;
mod venue;
mod visitor;

pub use docs::{Answer, Body, Docs, DocsField, Group, Operation, Part, Schema};
pub use officer::{CaseNew, CasePage, CaseRow, Cases, Exposure, LookupNew, LookupPage, Run, Visit};
pub use own::{
    ConsentText, Consents, DeclaredRow, Fact, OpenedRow, OwnAsk, OwnCode, OwnCopy, OwnCorrect,
    OwnData, OwnErased, RequestRow, Requests, StayRow,
};
pub use public::{Home, Login, Message, Proof, Register, SessionRow, Sessions};
pub use transparency::{Measure, MonthRow, Transparency};
pub use venue::{
    Arrival, Arrivals, CheckpointCard, CheckpointPage, Hour, VenueHead, VenuePage, VenueRow, Venues,
};
pub use visitor::{Place, Receipt, Visitor};

#[cfg(test)]
mod tests;
