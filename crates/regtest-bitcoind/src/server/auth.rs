//! Who may call: user and password, `-rpcauth` entries, and the cookie file.

use super::options::Options;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::hex::DisplayHex;
use data_encoding::BASE64;
use std::io;
use std::path::PathBuf;

/// Name that stands in the cookie file.
const COOKIE_USER: &str = "__cookie__";

/// The accepted credentials.
#[derive(Debug, Clone)]
pub struct Auth {
    plain: Vec<(String, String)>,
    /// User, salt, and HMAC of the password in hex.
    salted: Vec<(String, String, String)>,
}

impl Auth {
    /// Reads the credentials; writes the cookie file if there is no password.
    pub fn set_up(options: &Options, random: [u8; 32]) -> Result<Self, String> {
        let mut auth = Self {
            plain: Vec::new(),
            salted: Vec::new(),
        };
        for entry in options.all("rpcauth") {
            let parsed = entry.split_once(':').and_then(|(user, rest)| {
                let (salt, hash) = rest.split_once('$')?;
                Some((user.to_owned(), salt.to_owned(), hash.to_owned()))
            });
            auth.salted
                .push(parsed.ok_or("Invalid -rpcauth argument.")?);
        }
        match options.get("rpcpassword") {
            Some(password) if !password.is_empty() => {
                let user = options.get("rpcuser").unwrap_or_default();
                auth.plain.push((user.to_owned(), password.to_owned()));
            }
            _ => {
                let secret = random.to_lower_hex_string();
                let path = cookie_path(options);
                write_cookie(&path, &secret).map_err(|error| {
                    format!(
                        "Unable to open cookie authentication file {} for writing: {error}",
                        path.display()
                    )
                })?;
                auth.plain.push((COOKIE_USER.to_owned(), secret));
            }
        }
        Ok(auth)
    }

    /// Whether the value of an `Authorization` header is good.
    pub fn accepts(&self, header: &str) -> bool {
        let Some(encoded) = header.strip_prefix("Basic ") else {
            return false;
        };
        let decoded = BASE64.decode(encoded.trim().as_bytes()).unwrap_or_default();
        let Some((user, password)) = std::str::from_utf8(&decoded)
            .ok()
            .and_then(|t| t.split_once(':'))
        else {
            return false;
        };
        let plain = |(known, secret): &(String, String)| {
            same(known.as_bytes(), user.as_bytes()) && same(secret.as_bytes(), password.as_bytes())
        };
        let salted = |(known, salt, hash): &(String, String, String)| {
            known == user && same(hmac(salt, password).as_bytes(), hash.as_bytes())
        };
        self.plain.iter().any(plain) || self.salted.iter().any(salted)
    }
}

fn hmac(salt: &str, password: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(salt.as_bytes());
    engine.input(password.as_bytes());
    Hmac::from_engine(engine)
        .to_byte_array()
        .to_lower_hex_string()
}

/// Compares without telling by the time taken where two texts differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// Where the cookie is: `-rpccookiefile`, relative to the chain's directory.
pub fn cookie_path(options: &Options) -> PathBuf {
    options
        .chain_dir()
        .join(options.get("rpccookiefile").unwrap_or(".cookie"))
}

fn write_cookie(path: &PathBuf, secret: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("cookie.tmp");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(format!("{COOKIE_USER}:{secret}").as_bytes())?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salted_passwords_are_checked() {
        let salt = "7b9aef9b05";
        let entry = format!("-rpcauth=me:{salt}${}", hmac(salt, "secret"));
        let options = Options::from_words([entry, "-rpcpassword=p".to_owned()]);
        let auth = Auth::set_up(&options, [0; 32]).unwrap();
        let header = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
        assert!(auth.accepts(&header("me:secret")));
        assert!(!auth.accepts(&header("me:wrong")));
        assert!(auth.accepts(&header(":p")));
        assert!(!auth.accepts(&header("nobody")));
        assert!(!auth.accepts("Basic !!!"));
        assert!(!auth.accepts("Bearer x"));
    }
}
