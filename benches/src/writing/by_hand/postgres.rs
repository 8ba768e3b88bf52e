//! The crate `postgres`: binary COPY, arrays for many rows, and prepared statements for one.

use postgres::{
    Client, NoTls, Statement,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::super::{Program, Record};
use crate::Error;

const COLUMNS: &str = "id, aircraft_id, title, remark, distance, departs_at";
const SET_ALL: &str = "aircraft_id = excluded.aircraft_id, title = excluded.title, remark = excluded.remark, \
                       distance = excluded.distance, departs_at = excluded.departs_at";

pub(in crate::writing) struct ByHand {
    client: Client,
    one: Option<(Statement, Statement)>,
}

impl ByHand {
    pub(in crate::writing) fn connect(url: &str) -> Result<Self, Error> {
        Ok(ByHand { client: Client::connect(url, NoTls)?, one: None })
    }

    /// Copies the records into a table.
    fn copy(client: &mut Client, table: &str, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        let types = [Type::INT8, Type::INT8, Type::TEXT, Type::TEXT, Type::FLOAT8, Type::TIMESTAMP];
        let sink = client.copy_in(&format!("COPY {table} ({COLUMNS}) FROM STDIN (FORMAT binary)"))?;
        let mut writer = BinaryCopyInWriter::new(sink, &types);
        for record in records {
            writer.write(&values(&record))?;
        }
        writer.finish()?;
        Ok(())
    }
}

fn values(record: &Record) -> [&(dyn ToSql + Sync); 6] {
    [&record.id, &record.aircraft_id, &record.title, &record.remark, &record.distance, &record.departs_at]
}

impl Program for ByHand {
    fn insert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        Self::copy(&mut self.client, "records", records)
    }

    fn bulk_update(&mut self, page: &[Record]) -> Result<(), Error> {
        let ids: Vec<i64> = page.iter().map(|record| record.id).collect();
        let remarks: Vec<Option<&str>> = page.iter().map(|record| record.remark.as_deref()).collect();
        let distances: Vec<f64> = page.iter().map(|record| record.distance).collect();
        let statement = self.client.prepare(
            "UPDATE records SET remark = n.remark, distance = n.distance \
             FROM unnest($1::bigint[], $2::text[], $3::double precision[]) AS n(id, remark, distance) \
             WHERE records.id = n.id",
        )?;
        self.client.execute(&statement, &[&ids, &remarks, &distances])?;
        Ok(())
    }

    fn save(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut transaction = self.client.transaction()?;
        let statement = transaction.prepare(&format!(
            "INSERT INTO records ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET {SET_ALL}"
        ))?;
        for record in records {
            transaction.execute(&statement, &values(record))?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn delete_related(&mut self, last_airline: i64) -> Result<(), Error> {
        self.client.execute(
            "DELETE FROM records USING aircraft WHERE aircraft.id = records.aircraft_id AND aircraft.airline_id <= $1",
            &[&last_airline],
        )?;
        Ok(())
    }

    fn upsert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        self.client.batch_execute("BEGIN; CREATE TEMPORARY TABLE loaded (LIKE records) ON COMMIT DROP")?;
        Self::copy(&mut self.client, "loaded", records)?;
        self.client.batch_execute(&format!(
            "INSERT INTO records ({COLUMNS}) SELECT {COLUMNS} FROM loaded ON CONFLICT (id) DO UPDATE SET {SET_ALL}; COMMIT"
        ))?;
        Ok(())
    }

    fn get_or_create(&mut self, record: Record) -> Result<Record, Error> {
        if self.one.is_none() {
            let select = self.client.prepare(&format!("SELECT {COLUMNS} FROM records WHERE id = $1"))?;
            let insert = self.client.prepare(&format!(
                "INSERT INTO records ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
            ))?;
            self.one = Some((select, insert));
        }
        let Some((select, insert)) = &self.one else { return Err("it was prepared above".into()) };
        if let Some(row) = self.client.query_opt(select, &[&record.id])? {
            return Ok(Record {
                id: row.try_get(0)?,
                aircraft_id: row.try_get(1)?,
                title: row.try_get(2)?,
                remark: row.try_get(3)?,
                distance: row.try_get(4)?,
                departs_at: row.try_get(5)?,
            });
        }
        self.client.execute(insert, &values(&record))?;
        Ok(record)
    }
}
