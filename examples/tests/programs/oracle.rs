//! What the reports of `flights` have to be: worked out from the data's files with hash maps, without a database.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
};

use csv::{Reader, StringRecord, Writer};
use flate2::read::GzDecoder;

const FLIGHTS: &[u8] = include_bytes!("../../data/flights-2013-01.csv.gz");
const AIRLINES: &[u8] = include_bytes!("../../data/airlines.csv");
const AIRPORTS: &[u8] = include_bytes!("../../data/airports.csv");
const PLANES: &[u8] = include_bytes!("../../data/planes.csv");

/// The rows of a file by the names of its columns; NA is empty.
fn rows(file: impl Read) -> Vec<HashMap<String, String>> {
    let mut reader = Reader::from_reader(file);
    let header = reader.headers().expect("the file has a header").clone();
    let row = |record: StringRecord| {
        let value = |value: &str| if value == "NA" { String::new() } else { value.to_owned() };
        header.iter().map(str::to_owned).zip(record.iter().map(value)).collect()
    };
    reader.records().map(|record| row(record.expect("the file is CSV"))).collect()
}

/// One column of a file by another.
fn lookup(file: &[u8], key: &str, value: &str) -> HashMap<String, String> {
    rows(file)
        .into_iter()
        .map(|mut row| (row.remove(key).unwrap_or_default(), row.remove(value).unwrap_or_default()))
        .collect()
}

/// `flights.csv` and `carriers.csv` with the month loaded `scale` times.
pub(crate) fn reports(scale: usize) -> [Vec<u8>; 2] {
    let month = rows(GzDecoder::new(FLIGHTS));
    let flights: Vec<&HashMap<String, String>> = std::iter::repeat_n(&month, scale).flatten().collect();
    [flights_report(&flights), carriers_report(&flights)]
}

fn flights_report(flights: &[&HashMap<String, String>]) -> Vec<u8> {
    let airlines = lookup(AIRLINES, "carrier", "name");
    let airports = lookup(AIRPORTS, "faa", "name");
    let models = lookup(PLANES, "tailnum", "model");
    let name = |of: &HashMap<String, String>, key: &str| of.get(key).cloned().unwrap_or_default();
    let mut csv = Writer::from_writer(Vec::new());
    let header = "id,scheduled_at,carrier,airline,flight,tail_number,plane_model,origin,origin_name,dest,dest_name,\
                  dep_delay,arr_delay,distance";
    csv.write_record(header.split(',')).expect("a Vec takes all");
    for (id, flight) in (1..).zip(flights) {
        let row = [
            i32::to_string(&id),
            flight["time_hour"].clone(),
            flight["carrier"].clone(),
            name(&airlines, &flight["carrier"]),
            flight["flight"].clone(),
            flight["tailnum"].clone(),
            name(&models, &flight["tailnum"]),
            flight["origin"].clone(),
            name(&airports, &flight["origin"]),
            flight["dest"].clone(),
            name(&airports, &flight["dest"]),
            flight["dep_delay"].clone(),
            flight["arr_delay"].clone(),
            flight["distance"].clone(),
        ];
        csv.write_record(row).expect("a Vec takes all");
    }
    csv.into_inner().expect("a Vec takes all")
}

fn carriers_report(flights: &[&HashMap<String, String>]) -> Vec<u8> {
    let airlines = lookup(AIRLINES, "carrier", "name");
    let mut carriers: BTreeMap<&str, Vec<&HashMap<String, String>>> = BTreeMap::new();
    for flight in flights {
        carriers.entry(&flight["carrier"]).or_default().push(flight);
    }
    let mut csv = "carrier,airline,flights,cancelled,mean_dep_delay,max_dep_delay\n".to_owned();
    for (carrier, flights) in carriers {
        let delays: Vec<f64> = flights.iter().filter_map(|flight| flight["dep_delay"].parse().ok()).collect();
        let cancelled = flights.iter().filter(|flight| flight["dep_time"].is_empty()).count();
        // Every airline of this month has a delay.
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let longest = delays.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        csv += &format!("{carrier},{},{},{cancelled},{mean:.2},{longest}\n", airlines[carrier], flights.len());
    }
    csv.into_bytes()
}
