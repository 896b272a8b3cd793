//! TLV streams.

use crate::{BigSize, DecodeError, Reader};

/// One record of a TLV stream, kept although its type is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlvRecord {
    /// The record's type.
    pub number: u64,
    /// Its value.
    pub value: Vec<u8>,
}

/// One record of a TLV stream, borrowed from the message.
#[derive(Debug, Clone, Copy)]
pub struct TlvRecordRef<'a> {
    /// The record's type.
    pub number: u64,
    /// Its value.
    pub value: &'a [u8],
}

impl TlvRecordRef<'_> {
    /// A copy that outlives the message.
    pub fn to_owned(self) -> TlvRecord {
        TlvRecord {
            number: self.number,
            value: self.value.to_vec(),
        }
    }
}

/// Reads the records of a TLV stream that fills the rest of a message.
#[derive(Debug)]
pub struct TlvReader<'r, 'a> {
    reader: &'r mut Reader<'a>,
    previous: Option<u64>,
}

impl<'r, 'a> TlvReader<'r, 'a> {
    /// Reads records from `reader` until it is empty.
    pub fn new(reader: &'r mut Reader<'a>) -> Self {
        Self {
            reader,
            previous: None,
        }
    }

    /// The next record, or `None` at the end.
    // BOLT 1 §Type-Length-Value Format: types ascend strictly; a length past the end is an error.
    pub fn next_record(&mut self) -> Result<Option<TlvRecordRef<'a>>, DecodeError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let number = BigSize::decode_from(self.reader)?.0;
        if let Some(previous) = self.previous.filter(|previous| *previous >= number) {
            return Err(DecodeError::TlvOrder { number, previous });
        }
        self.previous = Some(number);
        let length = BigSize::decode_from(self.reader)?.0;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(TlvRecordRef {
            number,
            value: self.reader.take(length)?,
        }))
    }
}

/// Collects records and writes them in ascending order.
#[derive(Debug, Default)]
pub struct TlvWriter {
    records: Vec<TlvRecord>,
}

impl TlvWriter {
    /// Adds a record.
    pub fn push(&mut self, number: u64, value: Vec<u8>) {
        self.records.push(TlvRecord { number, value });
    }

    /// Writes all records, sorted by type.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.records.sort_by_key(|record| record.number);
        for TlvRecord { number, value } in self.records {
            BigSize(number).encode_to(out);
            BigSize(value.len().try_into().unwrap_or(u64::MAX)).encode_to(out);
            out.extend_from_slice(&value);
        }
    }
}

/// Reads the rest of a message that defines no TLV types of its own.
// BOLT 1 §Type-Length-Value Format: an unknown even type fails the message, an unknown odd one is skipped.
pub fn ignore_extension(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let mut stream = TlvReader::new(reader);
    while let Some(TlvRecordRef { number, .. }) = stream.next_record()? {
        if number % 2 == 0 {
            return Err(DecodeError::UnknownEvenTlv { number });
        }
    }
    Ok(())
}
