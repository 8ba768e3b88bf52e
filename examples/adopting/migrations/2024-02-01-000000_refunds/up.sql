CREATE TABLE adopting_refunds (
    order_id INTEGER NOT NULL PRIMARY KEY,
    cents BIGINT NOT NULL,
    FOREIGN KEY (order_id) REFERENCES adopting_orders (id)
);
