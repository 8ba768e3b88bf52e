DROP TABLE adopting_refunds;
