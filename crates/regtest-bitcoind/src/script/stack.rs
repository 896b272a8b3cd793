//! The stack of a script, and numbers on it.

use super::error::ScriptError;

/// Most elements on stack and alternative stack together.
const MAX_STACK: usize = 1000;

/// The stack of a script.
#[derive(Debug, Clone, Default)]
pub(super) struct Stack(Vec<Vec<u8>>);

/// Whether an element counts as true: anything but zero, also negative zero.
pub(super) fn is_true(element: &[u8]) -> bool {
    match element.split_last() {
        None => false,
        Some((last, rest)) => !matches!(last, 0 | 0x80) || rest.iter().any(|byte| *byte != 0),
    }
}

/// A boolean as an element.
pub(super) fn from_bool(value: bool) -> Vec<u8> {
    if value { vec![1] } else { Vec::new() }
}

/// A number as an element, in as few bytes as possible.
pub(super) fn from_number(value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = value.unsigned_abs();
    while rest > 0 {
        bytes.push(u8::try_from(rest & 0xff).unwrap_or(0));
        rest >>= 8;
    }
    match bytes.last_mut() {
        Some(last) if *last & 0x80 != 0 => bytes.push(if value < 0 { 0x80 } else { 0 }),
        Some(last) if value < 0 => *last |= 0x80,
        _ => {}
    }
    bytes
}

/// The number in an element of at most `max` bytes, written in as few bytes as possible.
pub(super) fn to_number(element: &[u8], max: usize) -> Result<i64, ScriptError> {
    if element.len() > max {
        return Err(ScriptError::Unknown);
    }
    let Some((last, rest)) = element.split_last() else {
        return Ok(0);
    };
    let needless = matches!(last, 0 | 0x80) && rest.last().is_none_or(|byte| byte & 0x80 == 0);
    if needless {
        return Err(ScriptError::Unknown);
    }
    let mut value = i64::from(last & 0x7f);
    for byte in rest.iter().rev() {
        value = value << 8 | i64::from(*byte);
    }
    Ok(if last & 0x80 != 0 { -value } else { value })
}

impl Stack {
    pub(super) fn new(elements: Vec<Vec<u8>>) -> Self {
        Self(elements)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, element: Vec<u8>) {
        self.0.push(element);
    }

    pub(super) fn pop(&mut self) -> Result<Vec<u8>, ScriptError> {
        self.0.pop().ok_or(ScriptError::InvalidStackOperation)
    }

    /// Pops a number of at most four bytes.
    pub(super) fn pop_number(&mut self) -> Result<i64, ScriptError> {
        to_number(&self.pop()?, 4)
    }

    /// The element `depth` below the top.
    pub(super) fn peek(&self, depth: usize) -> Result<&[u8], ScriptError> {
        let index = self.position(depth)?;
        self.0
            .get(index)
            .map(Vec::as_slice)
            .ok_or(ScriptError::InvalidStackOperation)
    }

    /// Copies the element `depth` below the top onto the top.
    pub(super) fn copy(&mut self, depth: usize) -> Result<(), ScriptError> {
        let element = self.peek(depth)?.to_vec();
        self.push(element);
        Ok(())
    }

    /// Takes out the element `depth` below the top.
    pub(super) fn take(&mut self, depth: usize) -> Result<Vec<u8>, ScriptError> {
        let index = self.position(depth)?;
        Ok(self.0.remove(index))
    }

    /// Moves the element `depth` below the top onto the top.
    pub(super) fn roll(&mut self, depth: usize) -> Result<(), ScriptError> {
        let element = self.take(depth)?;
        self.push(element);
        Ok(())
    }

    /// Puts an element `depth` below the top.
    pub(super) fn insert(&mut self, depth: usize, element: Vec<u8>) -> Result<(), ScriptError> {
        let index = self
            .0
            .len()
            .checked_sub(depth)
            .ok_or(ScriptError::InvalidStackOperation)?;
        self.0.insert(index, element);
        Ok(())
    }

    fn position(&self, depth: usize) -> Result<usize, ScriptError> {
        let below = depth
            .checked_add(1)
            .and_then(|above| self.0.len().checked_sub(above));
        below.ok_or(ScriptError::InvalidStackOperation)
    }

    /// Fails if this and the alternative stack hold too much.
    pub(super) fn check_size(&self, alternative: &Stack) -> Result<(), ScriptError> {
        if self.0.len().saturating_add(alternative.0.len()) > MAX_STACK {
            return Err(ScriptError::StackSize);
        }
        Ok(())
    }

    pub(super) fn elements(&self) -> &[Vec<u8>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_round_trip() {
        for value in [
            0,
            1,
            -1,
            127,
            128,
            -128,
            255,
            256,
            -32768,
            0x7fff_ffff,
            -0x7fff_ffff,
        ] {
            assert_eq!(to_number(&from_number(value), 4), Ok(value));
        }
        assert_eq!(from_number(-128), [0x80, 0x80]);
        assert!(to_number(&[1, 0], 4).is_err(), "one byte too long");
        assert!(to_number(&[0], 4).is_err(), "zero is empty");
        assert!(to_number(&[1, 1, 1, 1, 1], 4).is_err());
    }

    #[test]
    fn negative_zero_is_false() {
        assert!(!is_true(&[0, 0x80]));
        assert!(is_true(&[0x80, 0]));
    }
}
