//! orm-core: `bulk_create`, `bulk_update`, `save`, `delete`, `update_conflicts` and `get_or_create`.

use orm_core::prelude::*;

use super::{Program, Record};
use crate::Error;

pub(super) struct Ours(Database);

impl Ours {
    pub(super) fn connect(url: &str) -> Result<Self, Error> {
        Ok(Ours(orm_core::connect(url)?))
    }
}

impl Program for Ours {
    fn insert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        Record::bulk_create(&self.0, records)?;
        Ok(())
    }

    fn bulk_update(&mut self, page: &[Record]) -> Result<(), Error> {
        Record::bulk_update(&self.0, page, |r| (r.remark, r.distance))?;
        Ok(())
    }

    fn save(&mut self, records: &[Record]) -> Result<(), Error> {
        Ok(self.0.atomic(|tx| records.iter().try_for_each(|record| record.save(tx)))?)
    }

    fn delete_related(&mut self, last_airline: i64) -> Result<(), Error> {
        Record::objects(&self.0).filter(|r| r.aircraft().airline_id.le(last_airline)).delete()?;
        Ok(())
    }

    fn upsert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        Record::insert_into(&self.0)
            .update_conflicts(|r| r.id, |r| (r.aircraft_id, r.title, r.remark, r.distance, r.departs_at))
            .bulk_create(records)?;
        Ok(())
    }

    fn get_or_create(&mut self, record: Record) -> Result<Record, Error> {
        let (found, _) = Record::objects(&self.0).filter(|r| r.id.eq(record.id)).get_or_create(|| record.clone())?;
        Ok(found)
    }
}
