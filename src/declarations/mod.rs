//! The health declaration: questions, answers, risk, token.
