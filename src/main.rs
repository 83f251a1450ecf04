//! Parse the command line, run it, turn the result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    diem_kiem_dich::cli::main()
}
