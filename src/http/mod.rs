//! What both edges stand on: application state, guards, problem documents, request limits.
