//! `poster`: print a checkpoint's poster without a browser.

use std::path::PathBuf;

use clap::Args;

use crate::{
    api::posters::{Format, Sheet, poster_of},
    base::Code,
    cli::{CliError, open},
    config::Settings,
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The checkpoint's code, with or without hyphens.
    code: String,
    /// a3, a4, a5, a6 or sticker.
    #[arg(long, default_value = "a4", value_parser = ["a3", "a4", "a5", "a6", "sticker"])]
    size: String,
    /// pdf, png or svg.
    #[arg(long, default_value = "pdf", value_parser = ["pdf", "png", "svg"])]
    format: String,
    /// vi, en, or vi,en for both.
    #[arg(long, default_value = "vi", value_parser = ["vi", "en", "vi,en"])]
    lang: String,
    /// Write the poster to this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) async fn run(settings: Settings, options: Options) -> Result<(), CliError> {
    let unknown = || CliError::other("there is no checkpoint with this code");
    let code: Code = options.code.parse().map_err(|_| {
        CliError::other("this is no code: a code has 26 digits and letters, as printed on a poster")
    })?;
    let app = open(settings).await?;
    let entry = app.directory.by_code(code).ok_or_else(unknown)?;
    let (size, lang) = Sheet::new(Some(options.size), Some(options.lang)).read()?;
    let poster = poster_of(&app, &entry.venue, &entry.checkpoint, size, lang);
    app.db.close().await;
    let format = match options.format.as_str() {
        "png" => Format::Png,
        "svg" => Format::Svg,
        _ => Format::Pdf,
    };
    let bytes = format
        .draw(&[poster])
        .map_err(|error| CliError::other(error.to_string()))?;
    std::fs::write(&options.output, bytes).map_err(|error| {
        CliError::other(format!(
            "cannot write {}: {error}",
            options.output.display()
        ))
    })?;
    println!("wrote {}", options.output.display());
    Ok(())
}
