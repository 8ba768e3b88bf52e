CREATE TABLE adopting_customers (
    id INTEGER NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL
);
CREATE TABLE adopting_orders (
    id INTEGER NOT NULL PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    cents BIGINT NOT NULL,
    note VARCHAR(200),
    FOREIGN KEY (customer_id) REFERENCES adopting_customers (id)
);
