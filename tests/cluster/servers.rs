//! The servers of scripts/cluster: where they are, and what is done to them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::SqlOptions;
use sqlx::Connection as _;
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::load::PATIENCE;
use crate::support::database::new_database;
use crate::support::{Desk, Faults};

/// Kills, stops, starts, isolates, lets rejoin or promotes a server. Returns when that is done.
pub(crate) async fn control(what: &str, server: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/cluster");
    let mut script = tokio::process::Command::new(script);
    let ended = script.args([what, server]).status().await.unwrap();
    assert!(ended.success(), "scripts/cluster {what} {server}: {ended}");
    println!("{what} {server}: done");
}

/// Where the servers are. A cluster test is run only when it is asked for, so it never does
/// without.
fn urls(variable: &str, script: &str) -> Vec<String> {
    let Ok(urls) = std::env::var(variable) else {
        panic!("{variable} is not set: run this test by {script}");
    };
    urls.split(',').map(str::to_owned).collect()
}

/// A store on each node of the Galera cluster, all of one new database.
pub(crate) async fn nodes() -> Vec<Arc<dyn Store>> {
    let urls = urls("ONRAMP_CLUSTER_MYSQL_URLS", "scripts/test galera");
    let created = new_database::<sqlx::MySqlConnection>(&urls[0]).await;
    let (_, name) = created.rsplit_once('/').unwrap();
    let mut opening = Vec::new();
    for url in &urls {
        let (node, _) = url.rsplit_once('/').unwrap();
        let url = format!("{node}/{name}");
        // The other nodes know of the new database a moment later.
        while sqlx::MySqlConnection::connect(&url).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        opening.push(tokio::spawn(async move {
            let options = SqlOptions::new(url).acquire_timeout(Duration::from_secs(2));
            MySqlStore::connect_with(options).await.unwrap()
        }));
    }
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for store in opening {
        stores.push(Arc::new(store.await.unwrap()));
    }
    stores
}

/// Where a node of the Galera cluster is, counted from 1.
pub(crate) fn url_of_node(node: usize) -> String {
    urls("ONRAMP_CLUSTER_MYSQL_URLS", "scripts/test galera").swap_remove(node - 1)
}

/// A host on each node of the Galera cluster.
pub(crate) async fn desks() -> Vec<Arc<Desk>> {
    in_one_world(nodes().await)
}

fn in_one_world(stores: Vec<Arc<dyn Store>>) -> Vec<Arc<Desk>> {
    let world = Arc::default();
    let desk = |store| Desk::of(store, Faults::default(), Arc::clone(&world));
    stores.into_iter().map(desk).map(Arc::new).collect()
}

/// A primary and its standby, with one new database, behind an address that leads to the primary.
pub(crate) struct Pair {
    /// By name, and where they are; the primary first.
    servers: [(&'static str, String); 2],
    address: Address,
    database: String,
}

impl Pair {
    pub(crate) async fn new() -> Self {
        let script = "scripts/test postgres-failover";
        let urls = urls("ONRAMP_CLUSTER_POSTGRES_URLS", script);
        let created = new_database::<sqlx::PgConnection>(&urls[0]).await;
        let (_, database) = created.rsplit_once('/').unwrap();
        let [primary, standby] = [&urls[0], &urls[1]].map(|url| {
            let (_, rest) = url.split_once('@').unwrap();
            let (server, _) = rest.split_once('/').unwrap();
            server.to_owned()
        });
        Self {
            address: Address::of(&primary).await,
            servers: [("primary", primary), ("standby", standby)],
            database: database.to_owned(),
        }
    }

    /// So many hosts, each with connections of its own.
    pub(crate) async fn desks(&self, hosts: usize) -> Vec<Arc<Desk>> {
        let (port, database) = (self.address.port, &self.database);
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for _ in 0..hosts {
            let url = format!("postgres://onramp@127.0.0.1:{port}/{database}");
            let options = SqlOptions::new(url).acquire_timeout(Duration::from_secs(2));
            let store = PostgresStore::connect_with(options).await.unwrap();
            stores.push(Arc::new(store));
        }
        in_one_world(stores)
    }

    pub(crate) fn primary(&self) -> &'static str {
        self.servers[0].0
    }

    pub(crate) fn standby(&self) -> &'static str {
        self.servers[1].0
    }

    /// Returns when so many commits wait for the standby. There may be no more than one for each
    /// store, because a lane takes along whatever waits.
    pub(crate) async fn commits_wait(&self, at_least: i64) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let mut primary = self.connect(0).await;
        let begun = std::time::Instant::now();
        loop {
            let waiting: i64 = sqlx::query_scalar(sql)
                .fetch_one(&mut primary)
                .await
                .unwrap();
            if waiting >= at_least {
                println!("{waiting} commits wait for the standby");
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{waiting} commits wait");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The standby still takes part in every commit, but shows nothing of it any more.
    pub(crate) async fn blind_standby(&self) {
        let mut standby = self.connect(1).await;
        sqlx::raw_sql("SELECT pg_wal_replay_pause()")
            .execute(&mut standby)
            .await
            .unwrap();
    }

    async fn connect(&self, server: usize) -> sqlx::PgConnection {
        let url = format!("postgres://onramp@{}/postgres", self.servers[server].1);
        sqlx::PgConnection::connect(&url).await.unwrap()
    }

    /// The primary is gone: its address leads to the standby, which only reads until it is told to
    /// take over.
    pub(crate) async fn lose_primary(&self) {
        control("kill", self.primary()).await;
        *self.address.to.lock().unwrap() = self.servers[1].1.clone();
    }

    /// The standby takes over, and what was the primary becomes its standby.
    pub(crate) async fn promote(&mut self) {
        control("promote", self.standby()).await;
        self.servers.swap(0, 1);
    }
}

/// An address that leads to one server now and to another one later, as a virtual IP does.
struct Address {
    port: u16,
    to: Arc<Mutex<String>>,
}

impl Address {
    async fn of(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = Arc::new(Mutex::new(server.to_owned()));
        let now = Arc::clone(&to);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let server = now.lock().unwrap().clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(server).await {
                        // Whoever ends it, both ends are closed then.
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { port, to }
    }
}
