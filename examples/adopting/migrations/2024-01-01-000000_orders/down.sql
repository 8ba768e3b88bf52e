DROP TABLE adopting_orders;
DROP TABLE adopting_customers;
