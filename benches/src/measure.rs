//! What is measured, and the checksum by which programs show that they read the same.

use std::{
    fmt, fs,
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use crate::{
    Error,
    models::{Aircraft, Airline, Flight},
};

/// A sum over rows, in any order: every bit of every column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    rows: u64,
    sum: u64,
}

impl Checksum {
    /// Adds a row.
    #[inline]
    pub fn add(&mut self, row: &impl Row) {
        let mut mix = Mix(0);
        row.mix(&mut mix);
        self.rows += 1;
        // A row's mix is scrambled once more, so that the sum of two rows is not that of two others.
        self.sum = self.sum.wrapping_add(mix.0 ^ (mix.0 >> 29));
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// What can be added to a checksum.
pub trait Row {
    /// Mixes all of it.
    fn mix(&self, into: &mut Mix);
}

/// The checksum of one row. It has to be quick, or it would hide what is measured.
#[derive(Debug)]
pub struct Mix(u64);

impl Mix {
    #[inline]
    fn number(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    #[inline]
    fn text(&mut self, text: &str) {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.number(u64::from_le_bytes(last));
        self.number(text.len() as u64);
    }
}

impl Row for u64 {
    fn mix(&self, into: &mut Mix) {
        into.number(*self);
    }
}

impl Row for Flight {
    #[inline]
    fn mix(&self, into: &mut Mix) {
        into.number(self.id.cast_unsigned());
        into.number(self.aircraft_id.cast_unsigned());
        into.text(&self.title);
        match &self.remark {
            Some(remark) => into.text(remark),
            None => into.number(u64::MAX),
        }
        into.number(self.distance.to_bits());
        into.number(self.departs_at.and_utc().timestamp_micros().cast_unsigned());
    }
}

impl Row for (&Flight, &Aircraft, &Option<Airline>) {
    #[inline]
    fn mix(&self, into: &mut Mix) {
        let (flight, aircraft, airline) = self;
        flight.mix(into);
        into.number(aircraft.id.cast_unsigned());
        into.number(aircraft.airline_id.map_or(u64::MAX, i64::cast_unsigned));
        into.text(&aircraft.kind);
        match airline {
            Some(airline) => {
                into.number(airline.id.cast_unsigned());
                into.text(&airline.name);
            }
            None => into.number(u64::MAX),
        }
    }
}

/// What one run took. Its text is one line of `key=value`.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    /// Which rows were read.
    pub checksum: Checksum,
    seconds: f64,
    cpu_seconds: f64,
    peak_kib: Option<u64>,
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checksum { rows, sum } = self.checksum;
        write!(f, "rows={rows} checksum={sum:016x} ")?;
        write!(f, "seconds={:.6} cpu_seconds={:.6}", self.seconds, self.cpu_seconds)?;
        match self.peak_kib {
            Some(peak) => write!(f, " peak_kib={peak}"),
            None => Ok(()),
        }
    }
}

/// Measures from when it is made to when it is stopped.
pub(crate) struct Meter {
    began: Instant,
    cpu_before: Duration,
    took: Option<(Duration, Duration)>,
}

impl Meter {
    pub(crate) fn start() -> Result<Self, Error> {
        Ok(Meter { cpu_before: cpu_time()?, began: Instant::now(), took: None })
    }

    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let wall = self.began.elapsed();
        self.took = Some((wall, cpu_time()? - self.cpu_before));
        Ok(())
    }

    pub(crate) fn measured(self, checksum: Checksum) -> Result<Measurement, Error> {
        let (wall, cpu) = self.took.ok_or("no row was read, so there is nothing to measure")?;
        Ok(Measurement {
            checksum,
            seconds: wall.as_secs_f64(),
            cpu_seconds: cpu.as_secs_f64(),
            peak_kib: peak_memory(),
        })
    }
}

/// What this process has had of the processor, in its own code and in the system's for it.
fn cpu_time() -> Result<Duration, Error> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.try_into()?))
}

/// The most memory that this process has had, in KiB; only Linux tells. (What `getrusage` tells of memory includes the
/// program that this process was before it became this one.)
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
