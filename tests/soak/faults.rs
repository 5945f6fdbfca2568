//! The faults, one a second and in turn.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep, sleep_until};

use super::server::Server;
use super::worker::{LEASE, Orders, Worker};

/// How often which fault was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) kills: u32,
    pub(crate) pauses: u32,
    pub(crate) outages: u32,
}

/// The worker processes.
pub(crate) struct Fleet {
    orders: Orders,
    workers: Vec<Worker>,
    /// Stopped, or gone on after their lease; each was replaced, as a host would.
    paused: Vec<(Instant, Worker)>,
    pub(crate) done: Done,
}

impl Fleet {
    pub(crate) fn start(orders: Orders, size: usize) -> Self {
        let workers = (0..size).map(|_| Worker::start(&orders)).collect();
        Self {
            orders,
            workers,
            paused: Vec::new(),
            done: Done::default(),
        }
    }

    /// Does faults for so long, then lets everybody go on.
    pub(crate) async fn suffer(&mut self, server: &Server, length: Duration) {
        let begun = Instant::now();
        sleep(Duration::from_secs(1)).await;
        for second in 1_u32.. {
            if begun.elapsed() >= length {
                break;
            }
            match second % 8 {
                0 => self.done.outages += u32::from(server.crash(LEASE / 4).await),
                2 | 4 | 6 => self.pause(),
                _ => self.kill(),
            }
            sleep_until(begun + Duration::from_secs(1) * (second + 1)).await;
            self.go_on(LEASE * 3 / 2);
        }
        self.go_on(Duration::ZERO);
    }

    /// `kill -9`; another one takes its place.
    fn kill(&mut self) {
        // The one that has worked longest.
        let mut victim = self.workers.remove(0);
        victim.signal(Signal::KILL);
        self.workers.push(Worker::start(&self.orders));
        self.done.kills += 1;
    }

    /// A worker stops in the middle of whatever it does, and is replaced.
    fn pause(&mut self) {
        let mut victim = self.workers.remove(0);
        victim.signal(Signal::STOP);
        self.paused.push((Instant::now(), victim));
        self.workers.push(Worker::start(&self.orders));
        self.done.pauses += 1;
    }

    /// Lets those go on that were stopped for so long; they are killed some time later.
    fn go_on(&mut self, after: Duration) {
        for (since, worker) in &mut self.paused {
            if since.elapsed() >= after {
                worker.signal(Signal::CONT);
            }
        }
        self.paused
            .retain(|(since, _)| since.elapsed() < after.max(LEASE * 3));
    }
}
