//! Between columns and values.

use std::str::{FromStr, Split};

use chrono::{DateTime, Utc};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::StoreError;

const DAY_MS: i64 = 86_400_000;

/// Reads a row from left to right, in the order of its `SELECT`.
pub(crate) struct Columns<'r> {
    row: &'r SqliteRow,
    at: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r SqliteRow) -> Self {
        Self { row, at: 0 }
    }

    pub(crate) fn take<T: Decode<'r, Sqlite> + Type<Sqlite>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// A figure that is never negative.
    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.take::<i64>()?.max(0) as u64)
    }

    pub(crate) fn time(&mut self) -> Result<DateTime<Utc>, StoreError> {
        time(self.take()?)
    }

    pub(crate) fn time_if(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.take::<Option<i64>>()?.map(time).transpose()
    }

    pub(crate) fn word<T: DeserializeOwned>(&mut self, what: &'static str) -> Result<T, StoreError> {
        from_word(what, self.take()?)
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self, what: &'static str) -> Result<T, StoreError> {
        from_json(what, self.take()?)
    }

    /// A value that is written with `Display`.
    pub(crate) fn parsed<T: FromStr>(&mut self, what: &'static str) -> Result<T, StoreError>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        parse(what, self.take()?)
    }

    /// Narrow values that travel as one text.
    pub(crate) fn words(&mut self) -> Result<Words<'r>, StoreError> {
        Ok(Words(self.take::<&str>()?.split(' ')))
    }
}

/// Narrow values in one text, with a space between them and `-` for none.
///
/// Every column costs a copy through the driver; a table of 10,000 sources has 400,000 of them, and most
/// are small numbers. SQLite joins them for a fraction of that.
pub(crate) struct Words<'r>(Split<'r, char>);

impl Words<'_> {
    pub(crate) fn parsed<T: FromStr>(&mut self, what: &'static str) -> Result<T, StoreError>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        parse(what, self.next(what)?)
    }

    pub(crate) fn parsed_if<T: FromStr>(&mut self, what: &'static str) -> Result<Option<T>, StoreError>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        match self.next(what)? {
            "-" => Ok(None),
            text => parse(what, text).map(Some),
        }
    }

    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.parsed::<i64>("figure")?.max(0) as u64)
    }

    pub(crate) fn time(&mut self) -> Result<DateTime<Utc>, StoreError> {
        time(self.parsed("time")?)
    }

    pub(crate) fn time_if(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.parsed_if("time")?.map(time).transpose()
    }

    pub(crate) fn word<T: DeserializeOwned>(&mut self, what: &'static str) -> Result<T, StoreError> {
        from_word(what, self.next(what)?)
    }

    pub(crate) fn word_if<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.next(what)? {
            "-" => Ok(None),
            text => from_word(what, text).map(Some),
        }
    }

    fn next(&mut self, what: &'static str) -> Result<&str, StoreError> {
        self.0
            .next()
            .ok_or_else(|| StoreError::value(what, "nothing there"))
    }
}

/// The last JSON read and what it meant: thousands of sources share few schedules and policies.
pub(crate) struct Memo<T> {
    text: String,
    value: Option<T>,
}

impl<T: DeserializeOwned + Clone> Memo<T> {
    pub(crate) fn new() -> Self {
        Self {
            text: String::new(),
            value: None,
        }
    }

    pub(crate) fn json(&mut self, what: &'static str, text: &str) -> Result<T, StoreError> {
        if let Some(value) = self.value.as_ref().filter(|_| self.text == text) {
            return Ok(value.clone());
        }
        let value: T = from_json(what, text)?;
        text.clone_into(&mut self.text);
        self.value = Some(value.clone());
        Ok(value)
    }
}

pub(crate) fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(crate) fn time(ms: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| StoreError::value("time", "out of range"))
}

/// Days since 1970-01-01, UTC.
pub(crate) fn day(at: DateTime<Utc>) -> i64 {
    ms(at).div_euclid(DAY_MS)
}

/// The first instant of a day.
pub(crate) fn start_of(day: i64) -> Result<DateTime<Utc>, StoreError> {
    time(day.saturating_mul(DAY_MS))
}

/// SQLite counts with 63 bits; nothing we count comes near.
pub(crate) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An enum as serde spells it.
pub(crate) fn word<T: Serialize>(what: &'static str, value: T) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(|e| StoreError::value(what, e))? {
        serde_json::Value::String(text) => Ok(text),
        _ => Err(StoreError::value(what, "not a word")),
    }
}

fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|e: T::Err| StoreError::value(what, e))
}

fn from_word<'t, T: Deserialize<'t>>(what: &'static str, text: &'t str) -> Result<T, StoreError> {
    let word: StrDeserializer<'t, WordError> = text.into_deserializer();
    T::deserialize(word).map_err(|e| StoreError::value(what, e))
}

pub(crate) fn json<T: Serialize + ?Sized>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::value(what, e))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::value(what, e))
}

#[cfg(test)]
mod tests {
    use gleaner_domain::{Code, RunState};
    use rstest::rstest;

    use super::*;

    #[test]
    fn enums_read_back_as_they_were_spelled() {
        let text = word("state", RunState::Cancelled).expect("a word");
        assert_eq!(text, "cancelled");
        assert_eq!(
            from_word::<RunState>("state", &text).expect("a state"),
            RunState::Cancelled
        );
        assert_eq!(
            from_word::<Code>("code", "DISK_FULL").expect("a code"),
            Code::DiskFull
        );
    }

    #[test]
    fn an_unreadable_value_is_never_quoted() {
        let error = from_word::<RunState>("state", "hunter2").expect_err("no state");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[rstest]
    #[case("1970-01-01T00:00:00Z", 0)]
    #[case("1969-12-31T23:59:59Z", -1)]
    #[case("2026-01-01T23:59:59.999Z", 20_454)]
    fn a_day_begins_at_midnight_utc(#[case] at: &str, #[case] expected: i64) {
        let at: DateTime<Utc> = at.parse().expect(at);
        assert_eq!(day(at), expected);
        assert_eq!(
            start_of(expected).expect("in range").date_naive(),
            at.date_naive()
        );
    }
}
