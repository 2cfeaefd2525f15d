//! An address on loopback that refuses every connection, for as long as it is held.
//!
//! The port stays bound without listening. The system could give a closed port to another program.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

use crate::site::LOOPBACK;

/// A bound port that refuses all connections.
#[derive(Debug)]
#[must_use = "the port is given back when this is dropped"]
pub struct DeadPort {
    /// The address, on which no socket listens.
    pub addr: SocketAddr,
    _reserved: TcpSocket,
}

impl DeadPort {
    /// Reserves a port of loopback.
    ///
    /// # Errors
    /// When the system gives no socket or no port.
    pub fn reserve() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(LOOPBACK)?;
        Ok(Self { addr: socket.local_addr()?, _reserved: socket })
    }

    /// The address of `path` (which begins with `/`) at this port.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn refuses_connections_and_keeps_its_port() {
        let dead = DeadPort::reserve().unwrap();
        let refused = TcpStream::connect(dead.addr).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(TcpListener::bind(dead.addr).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
