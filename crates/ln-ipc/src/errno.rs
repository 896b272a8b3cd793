//! Errors of the system on their way from one process to another: as their number, 0 for none.

use std::io;

use rustix::io::Errno;

/// The number of an error; `EIO` for one that has none.
pub fn to_errno(error: &io::Error) -> u32 {
    let errno = Errno::from_io_error(error).unwrap_or(Errno::IO);
    errno.raw_os_error().cast_unsigned()
}

/// What a number says. One that the system can't have is an error, too.
pub fn from_errno(errno: u32) -> io::Result<()> {
    match i32::try_from(errno) {
        Ok(0) => Ok(()),
        Ok(errno) => Err(io::Error::from_raw_os_error(errno)),
        Err(_) => Err(io::ErrorKind::Other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_arrives_as_what_it_was() {
        let sent = |error: io::Error| from_errno(to_errno(&error)).unwrap_err().raw_os_error();
        assert_eq!(
            sent(Errno::ACCESS.into()),
            Some(Errno::ACCESS.raw_os_error())
        );
        assert_eq!(
            sent(io::ErrorKind::BrokenPipe.into()),
            Some(Errno::IO.raw_os_error())
        );
        assert!(from_errno(0).is_ok());
        assert_eq!(from_errno(u32::MAX).unwrap_err().raw_os_error(), None);
    }
}
