//! Floats of both widths, over columns of both.

use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use super::{fields, found};

on_each_backend! { each_width_over_each_column, special_values }

fields! { unhashed
    of_f32: f32;
    of_f64: f64;
}

const TENTHS: [&str; 5] = ["0.1", "-2.5e-7", "16777217", "1e30", "0"];

fn each_width_over_each_column(bed: &Bed) -> TestResult {
    let single = bed.pick(Pick { postgres: "REAL", mysql: "FLOAT", sqlite: "REAL" });
    for value in TENTHS {
        found! { bed,
            of_f64 "DOUBLE PRECISION" => value;
        }
        // On SQLite every float is a double, and 0.1 is none that an `f32` can be.
        let value = if single == "REAL" { format!("{:?}", f64::from(value.parse::<f32>()?)) } else { value.to_owned() };
        found! { bed, of_f32 single => &value; }
    }
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Measure {
    #[model(primary_key)]
    id: i32,
    single: f32,
    double: f64,
}

fn special_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Measure,)>()?;
    let mut values = vec![0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::from_bits(1), 0.1];
    if bed.keeps_infinity() {
        values.extend([f32::INFINITY, f32::NEG_INFINITY]);
    }
    if bed.keeps_nan() {
        values.push(f32::NAN);
    }
    for (id, single) in (1..).zip(values) {
        Measure::create(&db, Measure { id, single, double: f64::from(single) })?;
        let read = Measure::objects(&db).filter(|m| m.id.eq(id)).get()?;
        assert_eq!((read.single.is_nan(), read.double.is_nan()), (single.is_nan(), single.is_nan()));
        if !single.is_nan() {
            assert_eq!((read.single, read.double), (single, f64::from(single)));
        }
        let by_single = Measure::objects(&db).filter(|m| m.id.eq(id).and(m.single.eq(read.single)));
        let by_double = Measure::objects(&db).filter(|m| m.id.eq(id).and(m.double.is_in([read.double])));
        assert_eq!((by_single.count()?, by_double.count()?), (1, 1), "{single}");
    }
    Ok(())
}
