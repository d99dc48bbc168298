-- after 20260105090000
INSERT INTO customers (email) VALUES ('ada@shop.example');
INSERT INTO orders (customer_id, total) VALUES (1, 12);
