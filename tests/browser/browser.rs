//! One Chromium with a profile of its own, driven as a person drives it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{driver, kit::Server};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A small phone, in CSS pixels.
pub const PHONE: u32 = 360;
/// A desk.
pub const DESK: u32 = 1280;

/// How a browser is set up.
#[derive(Clone, Copy)]
pub struct Setup {
    pub width: u32,
    pub scripts: bool,
    pub language: &'static str,
}

impl Setup {
    /// A Vietnamese phone.
    pub const fn phone() -> Self {
        Self {
            width: PHONE,
            scripts: true,
            language: "vi-VN,vi",
        }
    }

    /// A Vietnamese desk.
    pub const fn desk() -> Self {
        Self {
            width: DESK,
            ..Self::phone()
        }
    }

    /// The same with scripts switched off.
    pub const fn without_scripts(self) -> Self {
        Self {
            scripts: false,
            ..self
        }
    }

    /// The same with these languages, as the browser's settings list them.
    pub const fn reading(self, language: &'static str) -> Self {
        Self { language, ..self }
    }
}

/// A browser. Dropping it ends it.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    /// The address of the server.
    pub server: String,
    setup: Setup,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        driver::end(&self.session);
    }
}

impl Browser {
    /// A fresh browser for this server's pages.
    pub async fn open(server: &Server, setup: Setup) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("dkd-browser-")
            .tempdir()
            .unwrap();
        let mut args: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ]
        .map(str::to_owned)
        .into();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let mut prefs = json!({"intl.accept_languages": setup.language});
        if !setup.scripts {
            prefs["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": args, "prefs": prefs},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(2))
            .build()
            .unwrap();
        // A busy machine may be too slow for the first try.
        let mut made = driver::command(&http, "/session", Some(&wanted)).await;
        if made.is_err() {
            made = driver::command(&http, "/session", Some(&wanted)).await;
        }
        let made = made.expect("Chromium starts");
        let browser = Self {
            http,
            session: format!("/session/{}", made["sessionId"].as_str().unwrap()),
            server: server.url.clone(),
            setup,
            _profile: profile,
        };
        browser.resize(setup.width).await;
        browser
    }

    async fn try_command(&self, path: &str, body: Option<Value>) -> Result<Value, String> {
        let path = format!("{}{path}", self.session);
        driver::command(&self.http, &path, body.as_ref()).await
    }

    /// A WebDriver command of this session.
    pub async fn command(&self, path: &str, body: Option<Value>) -> Value {
        let done = self.try_command(path, body).await;
        done.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A command of the browser's own protocol.
    pub async fn cdp(&self, name: &str, params: Value) -> Value {
        let body = json!({"cmd": name, "params": params});
        self.command("/goog/cdp/execute", Some(body)).await
    }

    /// Run a script in the page, by the tester's right: the page's policy and the switch for
    /// scripts do not bind it.
    pub async fn script(&self, script: &str, args: &[&str]) -> Value {
        let body = json!({"script": script, "args": args});
        self.command("/execute/sync", Some(body)).await
    }

    /// Give the window another width.
    pub async fn resize(&self, width: u32) {
        let phone = width < 600;
        let height = if phone { 740 } else { 900 };
        let params =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone});
        self.cdp("Emulation.setDeviceMetricsOverride", params).await;
    }

    /// Prefer dark pages, or light ones.
    pub async fn darken(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let params = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.cdp("Emulation.setEmulatedMedia", params).await;
    }

    /// Back to the width and the light that the browser began with.
    pub async fn as_set_up(&self) {
        self.resize(self.setup.width).await;
        self.darken(false).await;
    }

    /// Whether the page's own scripts run.
    pub const fn has_scripts(&self) -> bool {
        self.setup.scripts
    }

    /// Open a page of the server, and check it.
    pub async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.server);
        self.command("/url", Some(json!({"url": url}))).await;
        self.check().await;
    }

    /// Path and query of the page.
    pub async fn here(&self) -> String {
        let url = self.command("/url", None).await;
        let url = url.as_str().unwrap();
        url.strip_prefix(&self.server).unwrap_or(url).to_owned()
    }

    /// The page's source as it now is.
    pub async fn source(&self) -> String {
        let source = self.command("/source", None).await;
        source.as_str().unwrap().to_owned()
    }

    async fn try_element(&self, css: &str) -> Result<String, String> {
        let body = json!({"using": "css selector", "value": css});
        let found = self.try_command("/element", Some(body)).await?;
        let id = found[ELEMENT].as_str();
        id.map(str::to_owned).ok_or_else(|| found.to_string())
    }

    async fn element(&self, css: &str) -> String {
        match self.try_element(css).await {
            Ok(id) => id,
            Err(error) => panic!("no {css} on {}: {error}", self.here().await),
        }
    }

    /// How many elements there are.
    pub async fn count(&self, css: &str) -> u64 {
        let script = "return document.querySelectorAll(arguments[0]).length";
        self.script(script, &[css]).await.as_u64().unwrap()
    }

    /// The text of the first such element as a person sees it.
    pub async fn text(&self, css: &str) -> String {
        let id = self.element(css).await;
        let text = self.command(&format!("/element/{id}/text"), None).await;
        text.as_str().unwrap().to_owned()
    }

    /// An attribute of the first such element; empty when there is none.
    pub async fn attribute(&self, css: &str, name: &str) -> String {
        let id = self.element(css).await;
        let value = self
            .command(&format!("/element/{id}/attribute/{name}"), None)
            .await;
        value.as_str().unwrap_or_default().to_owned()
    }

    /// What a field holds.
    pub async fn value(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0]).value";
        let value = self.script(script, &[css]).await;
        value.as_str().unwrap().to_owned()
    }

    /// Tap something that stays on the page.
    pub async fn tap(&self, css: &str) {
        let id = self.element(css).await;
        self.command(&format!("/element/{id}/click"), Some(json!({})))
            .await;
    }

    /// Tap something that leads to another page, wait for that page and check it.
    pub async fn press(&self, css: &str) {
        let before = self.element("html").await;
        self.tap(css).await;
        self.arrived(&before).await;
    }

    /// Wait until the page of this root element has gone and another is complete.
    async fn arrived(&self, before: &str) {
        for _ in 0..600 {
            let now = self.try_element("html").await;
            let ready = "return document.readyState";
            if now.is_ok_and(|now| now != before) && self.script(ready, &[]).await == "complete" {
                self.check().await;
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no other page came after {}", self.here().await);
    }

    /// Type into a field that was emptied first.
    pub async fn fill(&self, name: &str, text: &str) {
        let css = format!("[name={name}]:not([type=hidden])");
        let id = self.element(&css).await;
        self.command(&format!("/element/{id}/clear"), Some(json!({})))
            .await;
        let keys = json!({"text": text});
        self.command(&format!("/element/{id}/value"), Some(keys))
            .await;
    }

    /// Set a field for a date or a time, whose typing depends on the machine's language.
    pub async fn set(&self, name: &str, value: &str) {
        let script = "const field = document.querySelector(`[name=${arguments[0]}]`);
            field.value = arguments[1]; return field.value";
        assert_eq!(self.script(script, &[name, value]).await, value, "{name}");
    }

    /// Choose from a list, or one of several buttons, or tick a box.
    pub async fn choose(&self, name: &str, value: &str) {
        let css = format!(
            "select[name={name}] option[value={value:?}], input[name={name}][value={value:?}]"
        );
        self.tap(&css).await;
    }

    /// Press a key of the keyboard where the focus is.
    pub async fn key(&self, key: &str) {
        let strokes = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]});
        self.command("/actions", Some(strokes)).await;
    }

    /// The id of the element that has the focus.
    pub async fn focused(&self) -> String {
        let id = self
            .script("return document.activeElement?.id ?? ''", &[])
            .await;
        id.as_str().unwrap().to_owned()
    }

    /// Fetch as the page would: status, type and text of the answer.
    pub async fn fetch(&self, path: &str) -> (u64, String, String) {
        let script = "return fetch(arguments[0]).then(async answer =>
            [answer.status, answer.headers.get('content-type'), await answer.text()])";
        let answer = self.script(script, &[path]).await;
        let text = |index: usize| answer[index].as_str().unwrap_or_default().to_owned();
        (answer[0].as_u64().unwrap(), text(1), text(2))
    }

    /// Bytes that came over the wire for this page: itself and what it fetched.
    pub async fn weight(&self) -> u64 {
        let script = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .reduce((sum, entry) => sum + entry.transferSize, 0)";
        self.script(script, &[]).await.as_u64().unwrap()
    }
}
