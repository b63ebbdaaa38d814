//! Reads ranges of ids as blocks, several pages at once, in order.
//!
//! Page cursors are computed from ids, so pages need not wait for one another. How many
//! ids a page answers for is only an estimate (`stride`): each block reads on downwards
//! until its own range is answered for, so a wrong estimate costs a request, never a message.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use gleaner_domain::{IdRanges, MessageId};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use crate::history::{History, HistoryError, Item, Page, Unread};

/// A page of t.me covers twenty ids.
const FIRST_STRIDE: u32 = 20;
/// Sparse channels have pages that reach far; this bounds what one block may cost when they end.
const MOST_STRIDE: u32 = 2_000;
/// Blocks without trouble before one more page is dared.
const CALM: u32 = 8;
/// Pages one block may take; beyond it the server is going round in circles.
const PAGES_A_BLOCK: u32 = 4_096;

/// Which end of a range is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Up,
    /// Newest first.
    Down,
}

/// Everything about some ids.
#[derive(Debug, Clone)]
pub struct Block {
    /// The ids answered for.
    pub range: RangeInclusive<u32>,
    /// Their messages, ascending.
    pub items: Vec<Item>,
    /// Ids of `range` that cannot be told about.
    pub unread: Vec<Unread>,
    /// Pages read.
    pub pages: u32,
    /// Bytes read.
    pub bytes: u64,
    /// Requests repeated.
    pub retries: u32,
    /// Ids the pages answered for, also beyond `range`.
    span: u64,
}

impl Block {
    /// The ids whose question is answered.
    pub fn answered(&self) -> IdRanges {
        let mut unread: IdRanges = IdRanges::default();
        for part in &self.unread {
            unread.insert(part.ids.clone());
        }
        let mut answered = unread.missing(self.range.clone());
        for item in &self.items {
            answered.insert(item.record.id.0..=item.record.id.0);
        }
        answered
    }
}

/// Reads blocks. Dropping it stops what is in flight.
pub struct Reader {
    history: Arc<dyn History>,
    /// What is not asked for yet, in order.
    todo: VecDeque<RangeInclusive<u32>>,
    direction: Direction,
    in_flight: VecDeque<AbortOnDropHandle<Result<Block, HistoryError>>>,
    /// The newest page, which opening the channel brought along.
    newest: Option<(u32, Page)>,
    stride: u32,
    /// Pages in flight at this moment's pace, and at most.
    window: usize,
    most: usize,
    calm: u32,
}

impl Reader {
    /// A reader that begins with `begin` pages at once and dares up to `most` while all goes well. `newest` is the channel's newest page and its highest id.
    pub fn new(history: Arc<dyn History>, newest: (u32, Page), begin: usize, most: usize) -> Self {
        Self {
            history,
            todo: VecDeque::new(),
            direction: Direction::Up,
            in_flight: VecDeque::new(),
            newest: Some(newest),
            stride: FIRST_STRIDE,
            window: begin,
            most,
            calm: 0,
        }
    }

    /// Sets out to read other ranges; what was in flight is dropped.
    pub fn aim(&mut self, ranges: impl IntoIterator<Item = RangeInclusive<u32>>, direction: Direction) {
        self.in_flight.clear();
        self.todo = ranges.into_iter().filter(|r| !r.is_empty()).collect();
        self.direction = direction;
    }

    /// The next block in order; `None` when all ranges are read. Cancel-safe: a block not
    /// taken is there at the next call.
    pub async fn next(&mut self) -> Option<Result<Block, HistoryError>> {
        self.launch();
        let done = match self.in_flight.front_mut()?.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only dropping the handle aborts a task, and we hold it.
            Err(_) => return None,
        };
        self.in_flight.pop_front();
        if let Ok(block) = &done {
            self.learn(block);
        }
        Some(done)
    }

    fn launch(&mut self) {
        while self.in_flight.len() < self.window
            && let Some(block) = self.next_range()
        {
            let history = Arc::clone(&self.history);
            let first = self.first_page_of(&block);
            let task: JoinHandle<_> = tokio::spawn(read_block(history, block, first));
            self.in_flight.push_back(AbortOnDropHandle::new(task));
        }
    }

    fn next_range(&mut self) -> Option<RangeInclusive<u32>> {
        let (first, last) = self.todo.pop_front()?.into_inner();
        let (block, rest) = match self.direction {
            Direction::Up => {
                let end = last.min(first.saturating_add(self.stride - 1));
                (first..=end, end.saturating_add(1)..=last)
            }
            Direction::Down => {
                let start = first.max(last.saturating_sub(self.stride - 1));
                (start..=last, first..=start.saturating_sub(1))
            }
        };
        if !rest.is_empty() {
            self.todo.push_front(rest);
        }
        Some(block)
    }

    /// The newest page serves the block that ends at the newest id, once.
    fn first_page_of(&mut self, block: &RangeInclusive<u32>) -> Option<Page> {
        let reaches = self
            .newest
            .as_ref()
            .is_some_and(|(newest, page)| newest == block.end() && page.covers_from <= *block.end());
        if reaches {
            self.newest.take().map(|(_, page)| Page {
                bytes: 0,
                retries: 0,
                ..page
            })
        } else {
            None
        }
    }

    fn learn(&mut self, block: &Block) {
        if block.retries > 0 {
            self.window = (self.window / 2).max(1);
            self.calm = 0;
        } else {
            self.calm += 1;
            if self.calm >= CALM && self.window < self.most {
                self.window += 1;
                self.calm = 0;
            }
        }
        let seen = (block.span / u64::from(block.pages.max(1))) as u32;
        // Half old, half new: one odd page does not throw the estimate about.
        self.stride = u32::midpoint(self.stride, seen).clamp(FIRST_STRIDE, MOST_STRIDE);
    }
}

async fn read_block(
    history: Arc<dyn History>,
    range: RangeInclusive<u32>,
    first: Option<Page>,
) -> Result<Block, HistoryError> {
    let (lowest, highest) = range.clone().into_inner();
    let mut block = Block {
        range,
        items: Vec::new(),
        unread: Vec::new(),
        pages: 0,
        bytes: 0,
        retries: 0,
        span: 0,
    };
    let mut before = highest.saturating_add(1);
    let mut given = first;
    loop {
        let page = match given.take() {
            Some(page) => page,
            None => history.page_before(MessageId(before)).await?,
        };
        block.pages += 1;
        block.bytes += page.bytes;
        block.retries += page.retries;
        block.span += u64::from(before.saturating_sub(page.covers_from));
        let wanted = |item: &Item| (lowest..before).contains(&item.record.id.0);
        block.items.extend(page.items.into_iter().filter(wanted));
        let (covers, below) = (page.covers_from.max(lowest), before - 1);
        block.unread.extend(page.unread.into_iter().filter_map(|part| {
            let ids = (*part.ids.start()).max(covers)..=(*part.ids.end()).min(below);
            (!ids.is_empty()).then_some(Unread { ids, ..part })
        }));
        if page.covers_from <= lowest {
            break;
        }
        if page.covers_from >= before || block.pages >= PAGES_A_BLOCK {
            return Err(HistoryError {
                code: gleaner_domain::Code::UnexpectedPage,
                detail: format!("The page before message {before} does not lead further down"),
                retry: gleaner_domain::Retry::Backoff,
            });
        }
        before = page.covers_from;
    }
    block.items.sort_by_key(|item| item.record.id);
    block.items.dedup_by_key(|item| item.record.id);
    Ok(block)
}
