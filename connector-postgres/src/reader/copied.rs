//! Rows out of a `COPY … TO STDOUT` in PostgreSQL's binary format.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use connector_core::{Error, ErrorKind, Result};
use futures::Stream;
use tokio_postgres::{Client, CopyOutStream};

use super::relation::Relation;
use crate::copy::HEADER;

/// The length of a null cell, and the number of cells of the end.
const NONE: u32 = u32::MAX;
const END: u16 = u16::MAX;

/// The rows of one statement, as they arrive.
///
/// The server sends each row as one message; that it need not is allowed for.
pub(crate) struct CopiedRows {
    stream: Pin<Box<CopyOutStream>>,
    /// What has arrived of a row.
    bytes: Bytes,
    /// Where each cell of the row lies in `bytes`; `NONE` bytes: it is null.
    cells: Vec<(u32, u32)>,
    /// Bytes of `bytes` that the row takes.
    row_end: usize,
    begun: bool,
}

/// Why a row has not all arrived.
enum Part {
    /// The rest of it is still to come.
    Cut,
    /// There are no more.
    End,
}

impl CopiedRows {
    /// Starts to read the rows of `select`.
    pub(crate) async fn of(client: &Client, select: &str, relation: &Relation) -> Result<Self> {
        let sql = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
        let stream = client
            .copy_out(&sql)
            .await
            .map_err(|error| relation.failed(error))?;
        Ok(Self {
            stream: Box::pin(stream),
            bytes: Bytes::new(),
            cells: Vec::new(),
            row_end: 0,
            begun: false,
        })
    }

    /// Goes on to the next row; false at the end. Its cells are [`cell`](Self::cells)s until the next call.
    pub(crate) fn poll_row(&mut self, context: &mut Context<'_>, relation: &Relation) -> Poll<Result<bool>> {
        self.bytes.advance(self.row_end);
        self.row_end = 0;
        loop {
            match self.find_row() {
                Some(Ok(())) => return Poll::Ready(Ok(true)),
                Some(Err(Part::End)) | None if self.bytes.is_empty() => {}
                Some(Err(Part::End)) => self.bytes.clear(),
                Some(Err(Part::Cut)) | None => {}
            }
            match ready!(self.stream.as_mut().poll_next(context)) {
                Some(Ok(more)) if self.bytes.is_empty() => self.bytes = more,
                Some(Ok(more)) => {
                    let mut joined = BytesMut::with_capacity(self.bytes.len() + more.len());
                    joined.extend_from_slice(&self.bytes);
                    joined.extend_from_slice(&more);
                    self.bytes = joined.freeze();
                }
                Some(Err(error)) => return Poll::Ready(Err(relation.failed(error))),
                None if self.bytes.is_empty() => return Poll::Ready(Ok(false)),
                None => {
                    let message = "the rows that PostgreSQL sent end within a row";
                    return Poll::Ready(Err(Error::new(ErrorKind::Unavailable, message)));
                }
            }
        }
    }

    /// Finds the cells of the row at the start of `bytes`; `None` where nothing has arrived.
    fn find_row(&mut self) -> Option<Result<(), Part>> {
        if self.bytes.is_empty() {
            return None;
        }
        if !self.begun {
            // Behind the signature: flags, and the length of an extension that nobody uses.
            if self.bytes.len() < HEADER.len() {
                return Some(Err(Part::Cut));
            }
            self.bytes.advance(HEADER.len());
            self.begun = true;
            return self.find_row();
        }
        let bytes: &[u8] = &self.bytes;
        let Some(&count) = bytes.first_chunk() else {
            return Some(Err(Part::Cut));
        };
        let count = u16::from_be_bytes(count);
        if count == END {
            return Some(Err(Part::End));
        }
        self.cells.clear();
        let mut at = 2;
        for _ in 0..count {
            let Some(&length) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
                return Some(Err(Part::Cut));
            };
            let length = u32::from_be_bytes(length);
            at += 4;
            self.cells.push((at as u32, length));
            if length != NONE {
                at += length as usize;
            }
        }
        if at > bytes.len() {
            return Some(Err(Part::Cut));
        }
        self.row_end = at;
        Some(Ok(()))
    }

    /// The number of its cells.
    pub(crate) fn width(&self) -> usize {
        self.cells.len()
    }

    /// The cell at this position of the row, which has as many as its [`width`](Self::width).
    #[inline]
    pub(crate) fn cell(&self, position: usize) -> Option<&[u8]> {
        let (start, length) = self.cells[position];
        let start = start as usize;
        (length != NONE).then(|| &self.bytes[start..start + length as usize])
    }
}
