//! A TCP proxy before a server, whose connections can be made slow, silent, or cut at a message.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "each user takes its own part, and a test may panic"
)]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// Counts down to the message at which everything is cut; below zero nothing is.
const NEVER: i64 = i64::MIN;

#[derive(Default)]
struct State {
    /// Bytes are taken and never passed on.
    silent: AtomicBool,
    /// New connections are closed at once.
    down: AtomicBool,
    /// How long every message is kept, in milliseconds.
    delay: AtomicU64,
    /// Messages of clients until the cut.
    until_cut: AtomicI64,
    /// Whether the message at the cut still reaches the server; its answer never comes.
    passes_last: AtomicBool,
}

/// Dropped, it goes on as it is until the process ends.
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// Before the server at `host:port`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        state.until_cut.store(NEVER, SeqCst);
        let shared = Arc::clone(&state);
        let server = server.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if shared.down.load(SeqCst) {
                    let _ = client.shutdown(Shutdown::Both);
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (to_server, to_client) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                let state = Arc::clone(&shared);
                thread::spawn(move || pass(client, to_server, &state, true));
                let state = Arc::clone(&shared);
                thread::spawn(move || pass(server, to_client, &state, false));
            }
        });
        Self { port, state }
    }

    /// A URL that leads here instead of to the server.
    pub fn url(&self, url: &str) -> String {
        let (user, rest) = url.split_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        format!("{user}@127.0.0.1:{}/{database}", self.port)
    }

    pub fn silence(&self, silent: bool) {
        self.state.silent.store(silent, SeqCst);
    }

    pub fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap();
        self.state.delay.store(delay, SeqCst);
    }

    /// Cuts every connection at the `message`th from now, counted from 1, and stays down: before the
    /// server has got it, or after, so that only the answer is lost.
    pub fn cut_at(&self, message: i64, after: bool) {
        self.state.passes_last.store(after, SeqCst);
        self.state.until_cut.store(message, SeqCst);
    }

    /// Lets connections through again. Gives whether any was cut.
    pub fn heal(&self) -> bool {
        self.state.until_cut.store(NEVER, SeqCst);
        self.state.down.swap(false, SeqCst)
    }

    /// New connections get through again once the cut has happened.
    pub fn heal_after_cut(&self) {
        while self.state.until_cut.load(SeqCst) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        // A first try to go on meets a network that is down still.
        thread::sleep(Duration::from_millis(20));
        self.heal();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State, of_client: bool) {
    let mut bytes = [0; 64 * 1024];
    while let Ok(some @ 1..) = from.read(&mut bytes) {
        let delay = state.delay.load(SeqCst);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        if state.silent.load(SeqCst) {
            continue;
        }
        let cut = of_client
            && state.until_cut.load(SeqCst) > 0
            && state.until_cut.fetch_sub(1, SeqCst) == 1;
        if cut {
            state.down.store(true, SeqCst);
            if state.passes_last.load(SeqCst) {
                let _ = to.write_all(&bytes[..some]);
                // It is carried out; what the server says goes nowhere.
                let _ = from.shutdown(Shutdown::Both);
                thread::sleep(Duration::from_millis(300));
            }
            break;
        }
        // The other direction is cut as well.
        if (state.down.load(SeqCst) && !of_client) || to.write_all(&bytes[..some]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
