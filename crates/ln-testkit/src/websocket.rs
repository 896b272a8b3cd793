//! A way for nodes that speak TCP to peers that listen for websockets: what a browser's program does.

use std::io;
use std::net::SocketAddr;
use std::thread;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Bytes of a message: so few that messages of the two protocols never agree.
const PIECE: usize = 777;

/// Listens on a port of 127.0.0.1; each connection becomes a websocket to `to`.
///
/// # Panics
/// If nothing can be listened at.
pub fn bridge(to: SocketAddr) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    listener
        .set_nonblocking(true)
        .expect("a socket can be told not to wait");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let tasks = tokio::task::LocalSet::new();
        let served: io::Result<()> = tasks.block_on(&runtime, async {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (tcp, _) = listener.accept().await?;
                // Either side may hang up.
                tokio::task::spawn_local(async move { drop(pass(tcp, to).await) });
            }
        });
        served
    });
    address
}

async fn pass(mut tcp: TcpStream, to: SocketAddr) -> io::Result<()> {
    let below = TcpStream::connect(to).await?;
    let url = format!("ws://{to}/");
    let connected = tokio_tungstenite::client_async(url, below).await;
    let (mut websocket, _) = connected.map_err(io::Error::other)?;
    let mut buffer = vec![0; PIECE];
    loop {
        tokio::select! {
            read = tcp.read(&mut buffer) => {
                let read = read?;
                let bytes = buffer.get(..read).unwrap_or_default();
                if bytes.is_empty() {
                    return websocket.close(None).await.map_err(io::Error::other);
                }
                // Empty messages and pings mean nothing.
                for message in [
                    Message::Binary(Bytes::new()),
                    Message::Ping(Bytes::from_static(b"there?")),
                    Message::Binary(Bytes::copy_from_slice(bytes)),
                ] {
                    websocket.send(message).await.map_err(io::Error::other)?;
                }
            }
            message = websocket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => tcp.write_all(&bytes).await?,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => return Ok(()),
            },
        }
    }
}
