//! lightningd's side of a store that gossipd may not open itself.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use ln_ipc::gossipd::{GossipdStoreDone, GossipdStoreReply, GossipdStoreRequest};
use ln_ipc::{AsyncStream, FrameError, to_errno};

use crate::StorePlace;

/// Opens, makes and names the store at `path` for gossipd until it is gone. Each step is short: no data is read or written.
pub async fn serve_store(socket: OwnedFd, path: &Path) -> Result<(), FrameError> {
    let mut gossipd = AsyncStream::new(socket)?;
    let place = StorePlace::at(path);
    loop {
        let request: GossipdStoreRequest = gossipd.recv().await?;
        let (errno, files) = match carry_out(&place, &request) {
            Ok(files) => (0, files),
            Err(error) => (to_errno(&error), Vec::new()),
        };
        let reply = GossipdStoreReply::from(GossipdStoreDone { errno });
        let fds: Vec<OwnedFd> = files.into_iter().map(OwnedFd::from).collect();
        gossipd.send_with_fds(&reply, &fds).await?;
    }
}

fn carry_out(place: &StorePlace, request: &GossipdStoreRequest) -> io::Result<Vec<File>> {
    match request {
        GossipdStoreRequest::Open(_) => {
            let opened = place.open()?;
            Ok(vec![opened.file, opened.reader])
        }
        GossipdStoreRequest::Make(_) => Ok(vec![place.make()?]),
        GossipdStoreRequest::Publish(_) => place.publish().map(|()| Vec::new()),
        GossipdStoreRequest::SetAside(_) => place.set_aside().map(|()| Vec::new()),
    }
}
