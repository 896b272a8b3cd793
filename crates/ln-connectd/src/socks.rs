//! SOCKS5 (RFC 1928), as much of it as asking a proxy such as Tor for a connection takes.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Asks the proxy at the other end of `stream` to connect it to a host, which the proxy looks up itself.
pub(crate) async fn connect(stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
    let length = u8::try_from(host.len()).map_err(|_| error("host name is too long"))?;
    // Version 5, one method: no authentication.
    stream.write_all(&[5, 1, 0]).await?;
    let mut method = [0; 2];
    stream.read_exact(&mut method).await?;
    if method != [5, 0] {
        return Err(error("proxy wants authentication or is no SOCKS5 proxy"));
    }
    // Version 5, connect, reserved, host name.
    let mut request = vec![5, 1, 0, 3, length];
    request.extend_from_slice(host.as_bytes());
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [_, status, _, kind] = head;
    if status != 0 {
        return Err(error(reason(status)));
    }
    // The address it uses, which nobody needs, and a port.
    let length = match kind {
        1 => 4,
        3 => usize::from(stream.read_u8().await?),
        4 => 16,
        _ => return Err(error("proxy sent an address of unknown type")),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await?;
    Ok(())
}

fn error(text: &str) -> io::Error {
    io::Error::other(text)
}

fn reason(status: u8) -> &'static str {
    match status {
        1 => "proxy: general failure",
        2 => "proxy: connection not allowed",
        3 => "proxy: network unreachable",
        4 => "proxy: host unreachable",
        5 => "proxy: connection refused",
        6 => "proxy: TTL expired",
        7 => "proxy: command not supported",
        8 => "proxy: address type not supported",
        _ => "proxy: unknown failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn ask(reply: &'static [u8]) -> (io::Result<()>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 3];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            let mut request = vec![0; 5 + 9 + 2];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(reply).await.unwrap();
            request
        };
        let client = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            connect(&mut stream, "abc.onion", 9735).await
        };
        tokio::join!(client, proxy)
    }

    #[tokio::test]
    async fn the_proxy_gets_the_name_and_its_answer_counts() {
        let (result, request) = ask(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        result.unwrap();
        assert_eq!(request, b"\x05\x01\x00\x03\x09abc.onion\x26\x07");
        let (result, _) = ask(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        assert!(result.unwrap_err().to_string().contains("refused"));
        let (result, _) = ask(&[5, 0, 0, 3, 1, b'x', 0, 0]).await;
        result.unwrap();
        let (result, _) = ask(&[5, 0, 0, 9, 0, 0, 0, 0, 0, 0]).await;
        assert!(result.is_err());
    }
}
