//! Reads variables one by one and collects all problems.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::{Config, SETTINGS, program};

pub(super) struct Reader {
    vars: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    pub(super) fn new(vars: BTreeMap<String, String>) -> Reader {
        Reader { vars, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    #[cfg(test)]
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(super) fn finish(self, config: Config) -> Result<Config, Vec<String>> {
        if self.problems.is_empty() { Ok(config) } else { Err(self.problems) }
    }

    /// Reports unknown `LYCEUM_…` variables. A misspelled one would silently leave the default in effect.
    pub(super) fn reject_unknown(&mut self) {
        let unknown: Vec<String> = self
            .vars
            .keys()
            .filter(|name| name.starts_with("LYCEUM_") && !SETTINGS.iter().any(|setting| setting.name == *name))
            .cloned()
            .collect();
        for name in unknown {
            self.problem(match similar(&name) {
                Some(known) => format!("{name} is not a setting; did you mean {known}?"),
                None => format!("{name} is not a setting; `{} config check` lists them", program()),
            });
        }
    }

    /// Returns the trimmed value, if it is set and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        debug_assert!(SETTINGS.iter().any(|setting| setting.name == name), "{name} is missing in SETTINGS");
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the value, or the default from [`SETTINGS`].
    pub(super) fn text_or_default(&self, name: &str) -> &str {
        self.text(name).unwrap_or_else(|| default_of(name))
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        match self.text(name) {
            Some(value) => value.to_owned(),
            None => {
                self.problem(format!("{name} is required when S3_ENDPOINT or S3_BUCKET is set"));
                String::new()
            }
        }
    }

    /// Returns the secret of a webhook.
    pub(super) fn hook_secret(&mut self, name: &str) -> Option<String> {
        let secret = self.text(name)?.to_owned();
        let length = secret.chars().count();
        if length < 20 {
            self.problem(format!(
                "{name} is too short: it has {length} of at least 20 characters; take random ones, for example those \
                 that `openssl rand -base64 24` prints"
            ));
        }
        Some(secret)
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let items = self.text(name).unwrap_or_default().split(',');
        items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    /// Returns an IP address with a port.
    pub(super) fn addr(&mut self, name: &str, default: SocketAddr) -> SocketAddr {
        let Some(value) = self.text(name) else { return default };
        if let Ok(addr) = value.parse() {
            return addr;
        }
        let problem = format!(
            "{name} is {value:?}; it must be an IP address and a port, such as {default}, or 0.0.0.0:{} for all \
             addresses of this machine",
            default.port()
        );
        self.problem(problem);
        default
    }

    /// Returns a number in `range`; its default is the one in [`SETTINGS`].
    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u32>) -> u64 {
        let default = default_of(name).parse();
        debug_assert!(default.is_ok(), "the default of {name} is not a number");
        self.number_or(name, default.unwrap_or(*range.start()), range)
    }

    /// Returns a number in `range` whose default depends on the machine.
    pub(super) fn number_or(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u64 {
        let Some(value) = self.text(name) else { return u64::from(default) };
        match value.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => u64::from(number),
            None => {
                let (least, most) = (range.start(), range.end());
                let problem =
                    format!("{name} is {value:?}; it must be a whole number from {least} to {most}, such as {default}");
                self.problem(problem);
                u64::from(default)
            }
        }
    }

    pub(super) fn choice(&mut self, name: &str, allowed: &[&'static str]) -> &'static str {
        let default = allowed.first().copied().unwrap_or_default();
        let Some(value) = self.text(name) else { return default };
        match allowed.iter().find(|choice| **choice == value) {
            Some(choice) => choice,
            None => {
                let problem = format!("{name} is {value:?}; it must be {}", allowed.join(" or "));
                self.problem(problem);
                default
            }
        }
    }
}

/// Returns the setting whose name is most like `name`, if one is.
fn similar(name: &str) -> Option<&'static str> {
    let names = SETTINGS.iter().map(|setting| (strsim::jaro_winkler(setting.name, name), setting.name));
    names.filter(|(likeness, _)| *likeness > 0.95).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

/// Returns the default that [`SETTINGS`] states.
fn default_of(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name == name).map(|setting| setting.default).unwrap_or_default()
}
