//! A client that costs as little as it can, so that the cores are left to the server.
//!
//! One event loop a thread, keep-alive connections, one request at a time on each: no pipelining,
//! as phones do not pipeline either. The bytes of a request stand ready, only id, checkpoint and
//! token are copied in; of an answer no more is read than the status and the length.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use diem_kiem_dich::base::{Clock, Random, ids};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use uuid::Uuid;

use crate::world::World;

/// Room for an answer: head and body are under a kilobyte.
const ANSWER: usize = 8 * 1024;

/// How long answers that are still out are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked of the client.
#[derive(Clone, Copy)]
pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    pub threads: usize,
    /// Before this, answers are not measured.
    pub from: Instant,
    /// After this, nothing is sent any more.
    pub until: Instant,
}

/// What came of it.
#[derive(Default)]
pub struct Heard {
    /// Every check-in that was answered with 201: place in [`World::checkpoints`], id.
    pub acknowledged: Vec<(u32, Uuid)>,
    /// Answers of 201 between `from` and `until`: microseconds each.
    pub latencies: Vec<u32>,
    /// Other answers, and connections that broke.
    pub refused: u64,
}

/// Send until the time is over, and wait for what is still out.
pub fn run(load: Load, world: &World) -> Heard {
    std::thread::scope(|scope| {
        let threads = load.threads.min(load.connections);
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let share = (load.connections + threads - 1 - thread) / threads;
                scope.spawn(move || Loop::new(load, world, thread, share).run())
            })
            .collect();
        let mut heard = Heard::default();
        for thread in running {
            let part = thread.join().unwrap();
            heard.acknowledged.extend(part.acknowledged);
            heard.latencies.extend(part.latencies);
            heard.refused += part.refused;
        }
        heard
    })
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    filled: usize,
    sent: usize,
    began: Instant,
    place: u32,
    id: Uuid,
    request: Vec<u8>,
    waiting: bool,
}

struct Loop<'a> {
    load: Load,
    world: &'a World,
    poll: Poll,
    connections: Vec<Connection>,
    heard: Heard,
    numbers: Numbers,
    out: usize,
}

/// Numbers that look random and cost nothing (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl<'a> Loop<'a> {
    fn new(load: Load, world: &'a World, thread: usize, share: usize) -> Self {
        let poll = Poll::new().unwrap();
        let connections = (0..share)
            .map(|number| {
                let mut stream = TcpStream::connect(load.address).unwrap();
                poll.registry()
                    .register(
                        &mut stream,
                        Token(number),
                        Interest::READABLE | Interest::WRITABLE,
                    )
                    .unwrap();
                Connection {
                    stream,
                    answer: vec![0; ANSWER],
                    filled: 0,
                    sent: 0,
                    began: Instant::now(),
                    place: 0,
                    id: Uuid::nil(),
                    request: world.request.clone(),
                    waiting: false,
                }
            })
            .collect();
        let seed = u64::from_le_bytes(Random::System.bytes()) ^ thread as u64;
        Self {
            load,
            world,
            poll,
            connections,
            heard: Heard::default(),
            numbers: Numbers(seed),
            out: 0,
        }
    }

    fn run(mut self) -> Heard {
        let mut events = Events::with_capacity(1024);
        let give_up = self.load.until + PATIENCE;
        loop {
            self.poll
                .poll(&mut events, Some(Duration::from_millis(50)))
                .unwrap();
            for event in &events {
                self.step(event.token().0);
            }
            let now = Instant::now();
            if now >= give_up || (now >= self.load.until && self.out == 0) {
                return self.heard;
            }
        }
    }

    /// Go on with a connection: take in what has come, and send the next request after a whole answer.
    fn step(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.waiting {
            if connection.sent < connection.request.len() && !connection.write() {
                return self.broken(number);
            }
            match connection.read() {
                Progress::Partly => return,
                Progress::Broken => return self.broken(number),
                Progress::Whole(status) => self.whole(number, status),
            }
        }
        if Instant::now() < self.load.until {
            self.send(number);
        }
    }

    fn whole(&mut self, number: usize, status: u16) {
        let connection = &mut self.connections[number];
        connection.waiting = false;
        self.out -= 1;
        if status != 201 {
            self.heard.refused += 1;
            return;
        }
        self.heard
            .acknowledged
            .push((connection.place, connection.id));
        let now = Instant::now();
        if (self.load.from..self.load.until).contains(&now) {
            let took = now - connection.began;
            self.heard
                .latencies
                .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }

    fn send(&mut self, number: usize) {
        let (place, who, more) = (
            self.numbers.next(),
            self.numbers.next(),
            self.numbers.next(),
        );
        let connection = &mut self.connections[number];
        let checkpoints = &self.world.checkpoints;
        let place = (place % checkpoints.len() as u64) as usize;
        let token = &self.world.tokens[(who % self.world.tokens.len() as u64) as usize];
        let low = (u128::from(who ^ place as u64) << 64) | u128::from(more);
        let id = ids::uuid_floor(Clock::System.now().as_ms()).as_u128();
        // Version 7, variant RFC 4122, 74 bits that do not repeat.
        let id = id | (7 << 76) | (2 << 62) | (low & 0x0fff_3fff_ffff_ffff_ffff);
        connection.id = Uuid::from_u128(id);
        connection.place = u32::try_from(place).unwrap();
        let [id_at, code_at, token_at] = self.world.gaps;
        let request = &mut connection.request;
        let mut text = [0; 36];
        let id = connection.id.hyphenated().encode_lower(&mut text);
        request[id_at..id_at + 36].copy_from_slice(id.as_bytes());
        let code = checkpoints[place].1.as_bytes();
        request[code_at..code_at + code.len()].copy_from_slice(code);
        request[token_at..token_at + token.len()].copy_from_slice(token.as_bytes());
        connection.sent = 0;
        connection.filled = 0;
        connection.waiting = true;
        connection.began = Instant::now();
        self.out += 1;
        if !connection.write() {
            self.broken(number);
        }
    }

    /// Connect again. Whether the request was stored is not known, so nothing is claimed of it.
    fn broken(&mut self, number: usize) {
        self.heard.refused += 1;
        let connection = &mut self.connections[number];
        if std::mem::take(&mut connection.waiting) {
            self.out -= 1;
        }
        let Ok(stream) = TcpStream::connect(self.load.address) else {
            return;
        };
        connection.stream = stream;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry
            .register(&mut connection.stream, Token(number), interest)
            .unwrap();
    }
}

enum Progress {
    Partly,
    Whole(u16),
    Broken,
}

impl Connection {
    /// Write what the socket takes; false when it is broken.
    fn write(&mut self) -> bool {
        while self.sent < self.request.len() {
            match self.stream.write(&self.request[self.sent..]) {
                Ok(0) => return false,
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::NotConnected => return true,
                Err(_) => return false,
            }
        }
        true
    }

    fn read(&mut self) -> Progress {
        loop {
            match self.stream.read(&mut self.answer[self.filled..]) {
                Ok(0) => return Progress::Broken,
                Ok(n) => self.filled += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Partly,
                Err(_) => return Progress::Broken,
            }
            if let Some(status) = whole(&self.answer[..self.filled]) {
                return Progress::Whole(status);
            }
        }
    }
}

/// The status of an answer that is there to its last byte.
fn whole(answer: &[u8]) -> Option<u16> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    let head_text = std::str::from_utf8(&answer[..head]).ok()?;
    let length: usize = head_text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?
        .parse()
        .ok()?;
    (answer.len() >= head + 4 + length).then_some(status)
}
