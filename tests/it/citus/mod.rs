//! The distributed layout without a cluster: what Citus does not support is looked for in the schema
//! and in every SQL text, and the command is run against a stand-in.
//!
//! Citus cannot be installed from the package registries, so nothing here runs on it. Each rule names
//! where it comes from; `deploy/citus/README.md` lists the sources and what was run.

mod command;
mod schema;
mod sql;
mod texts;
