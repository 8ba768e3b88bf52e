//! Whatever a packet holds, reading it is an answer or an error, and no panic.

use std::sync::Arc;

use diesel::{
    deserialize::FromSql,
    mysql::Mysql,
    row::{Field as _, Row as _},
    sql_types::{BigInt, Binary, Double, Integer, Text},
};
use mysql_common::{
    constants::CapabilityFlags,
    packets::{CommonOkPacket, OldEofPacket, ResultSetTerminator},
};
use proptest::prelude::*;

use super::{
    column::Column,
    handshake::{error_packet, greeting, switch_request},
    reader::{ReadSized, Reader},
    row::{RowRef, Spans, text_value},
    wire::ok_packet,
};
use crate::net::random;

/// Bytes among which those are frequent that mean something: small lengths, the marks of larger ones, NULL and errors.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => 0..16_u8, 2 => 0xF9..=0xFF_u8, 3 => any::<u8>()];
    prop::collection::vec(byte, 0..200)
}

/// A column of any type.
fn column() -> impl Strategy<Value = Vec<u8>> {
    (any::<[u8; 2]>(), prop_oneof![0..=16_u8, 245..=255_u8, any::<u8>()], any::<[u8; 2]>()).prop_map(
        |([a, b], code, [flags, more])| {
            [&b"\x03def\0\0\0\x01c\0\x0C"[..], &[a, b, 255, 0, 0, 0, code, flags, more, 0, 0, 0]].concat()
        },
    )
}

proptest! {
    #![proptest_config(random::config(1_000))]

    #[test]
    fn packets_of_the_login(packet in packet(), protocol in any::<bool>()) {
        let _ = greeting(&packet);
        // One that goes on as a greeting does.
        let _ = greeting(&[&b"\x0A5.5.5-x\0\x01\0\0\0abcdefgh\0"[..], &packet].concat());
        let capabilities = if protocol { CapabilityFlags::all() } else { CapabilityFlags::empty() };
        let _ = error_packet(&packet, capabilities);
        let _ = error_packet(&[&[0xFF], &packet[..]].concat(), capabilities);
        let _ = switch_request(&packet);
        for first in [0x00, 0xFE] {
            let packet = [&[first], &packet[..]].concat();
            let _ = ok_packet::<CommonOkPacket>(&packet, capabilities);
            let _ = ok_packet::<ResultSetTerminator>(&packet, capabilities);
            let _ = ok_packet::<OldEofPacket>(&packet, capabilities);
        }
    }

    #[test]
    fn pieces_of_packets(packet in packet(), position in 0..9_usize) {
        let _ = Column::parse(&packet);
        let _ = text_value(&packet, position);
        let mut reader = Reader::new(&packet);
        while let Ok(bytes) = reader.sized_or_null() {
            prop_assert!(bytes.is_none_or(|bytes| bytes.len() <= packet.len()));
        }
    }

    #[test]
    fn rows(columns in prop::collection::vec(column(), 0..12), packet in packet()) {
        let columns: Arc<[Column]> = columns.iter().map(|column| Column::parse(column).expect("it is whole")).collect();
        let mut spans = Spans::default();
        // With no NULL in it, so that there are values.
        let nulls = vec![0; (columns.len() + 9) / 8];
        for packet in [packet.clone(), [&[0], &nulls[..], &packet].concat()] {
            // Cut where it fits its columns, if it does anywhere.
            for end in 0..=packet.len() {
                let packet = &packet[..end];
                if spans.find(&columns, packet).is_err() {
                    continue;
                }
                let row = RowRef { columns: &columns, packet, spans: &spans };
                for index in 0..=columns.len() {
                    let Some(field) = row.get(index) else { continue };
                    let Some(value) = field.value() else { continue };
                    let _ = <i32 as FromSql<Integer, Mysql>>::from_sql(value);
                    let _ = field.value().map(<i64 as FromSql<BigInt, Mysql>>::from_sql);
                    let _ = field.value().map(<f64 as FromSql<Double, Mysql>>::from_sql);
                    let _ = field.value().map(<String as FromSql<Text, Mysql>>::from_sql);
                    let _ = field.value().map(<Vec<u8> as FromSql<Binary, Mysql>>::from_sql);
                    #[cfg(feature = "chrono")]
                    {
                        use diesel::sql_types::{Date, Datetime, Time};
                        let _ = field.value().map(<chrono::NaiveTime as FromSql<Time, Mysql>>::from_sql);
                        let _ = field.value().map(<chrono::NaiveDate as FromSql<Date, Mysql>>::from_sql);
                        let _ = field.value().map(<chrono::NaiveDateTime as FromSql<Datetime, Mysql>>::from_sql);
                    }
                }
            }
        }
    }
}
