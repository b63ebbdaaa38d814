//! What was asked of the site, and how much of it at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Kinds of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// `/s/<name>`: posts.
    Page,
    /// `/<name>`: a landing page.
    Landing,
    /// `/file/…`: a file.
    File,
    /// Anything else.
    Other,
}

impl PathKind {
    pub(crate) fn of(path: &str) -> Self {
        match path.strip_prefix('/').unwrap_or(path) {
            path if path.starts_with("s/") => Self::Page,
            path if path.starts_with("file/") => Self::File,
            "" => Self::Other,
            path if path.contains('/') => Self::Other,
            _ => Self::Landing,
        }
    }
}

/// How many requests arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Requests {
    /// Pages with posts.
    pub pages: usize,
    /// Landing pages.
    pub landings: usize,
    /// Files.
    pub files: usize,
    /// Anything else.
    pub other: usize,
}

impl Requests {
    /// All of them.
    pub fn total(&self) -> usize {
        self.pages + self.landings + self.files + self.other
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Served {
    /// When it arrived.
    pub at: Instant,
    /// Kind of its path.
    pub kind: PathKind,
    /// Path and query.
    pub target: String,
    /// `before` as a number; `None` when absent or no number.
    pub before: Option<u32>,
    /// Status of the answer; `None` while unanswered, stalled or reset.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    served: Vec<Served>,
    in_flight: usize,
    max_in_flight: usize,
    /// Grows with every reset, so that late answers do not write into a new book.
    edition: usize,
}

/// A request that is being answered: in flight until dropped.
pub(crate) struct Entry<'a> {
    journal: &'a Journal,
    edition: usize,
    index: usize,
}

impl Journal {
    pub(crate) fn arrive(&self, uri: &axum::http::Uri) -> Entry<'_> {
        let before = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .find(|(key, _)| key == "before")
            .and_then(|(_, value)| value.parse().ok());
        let mut book = self.book();
        book.served.push(Served {
            at: Instant::now(),
            kind: PathKind::of(uri.path()),
            target: uri.to_string(),
            before,
            status: None,
        });
        book.in_flight += 1;
        book.max_in_flight = book.max_in_flight.max(book.in_flight);
        Entry {
            journal: self,
            edition: book.edition,
            index: book.served.len() - 1,
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        self.book()
            .served
            .iter()
            .fold(Requests::default(), |mut sum, served| {
                *match served.kind {
                    PathKind::Page => &mut sum.pages,
                    PathKind::Landing => &mut sum.landings,
                    PathKind::File => &mut sum.files,
                    PathKind::Other => &mut sum.other,
                } += 1;
                sum
            })
    }

    pub(crate) fn cursors(&self) -> Vec<Option<u32>> {
        self.book()
            .served
            .iter()
            .filter(|served| served.kind == PathKind::Page)
            .map(|served| served.before)
            .collect()
    }

    pub(crate) fn page_times(&self) -> Vec<Instant> {
        self.book()
            .served
            .iter()
            .filter(|served| served.kind != PathKind::File)
            .map(|served| served.at)
            .collect()
    }

    pub(crate) fn served(&self) -> Vec<Served> {
        self.book().served.clone()
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.book().max_in_flight
    }

    pub(crate) fn reset(&self) {
        let mut book = self.book();
        *book = Book {
            in_flight: book.in_flight,
            edition: book.edition + 1,
            ..Book::default()
        };
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry<'_> {
    pub(crate) fn answered(&self, status: axum::http::StatusCode) {
        let mut book = self.journal.book();
        if book.edition == self.edition {
            book.served[self.index].status = Some(status.as_u16());
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.journal.book().in_flight -= 1;
    }
}
