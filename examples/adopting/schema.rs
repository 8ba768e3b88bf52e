//! What `diesel print-schema` has written.

diesel::table! {
    adopting_customers (id) {
        id -> Integer,
        #[max_length = 100]
        name -> Varchar,
    }
}

diesel::table! {
    adopting_orders (id) {
        id -> Integer,
        customer_id -> Integer,
        cents -> BigInt,
        #[max_length = 200]
        note -> Nullable<Varchar>,
    }
}

diesel::table! {
    adopting_refunds (order_id) {
        order_id -> Integer,
        cents -> BigInt,
    }
}

diesel::joinable!(adopting_orders -> adopting_customers (customer_id));
diesel::joinable!(adopting_refunds -> adopting_orders (order_id));
diesel::allow_tables_to_appear_in_same_query!(adopting_customers, adopting_orders, adopting_refunds);
