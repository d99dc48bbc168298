-- after 0000
INSERT INTO clients (name) VALUES ('Mill & Sons');
INSERT INTO invoices (client_id, number) VALUES (1, 1);
-- after 0001
INSERT INTO invoice_lines (invoice_id, text, cents) SELECT id, 'Flour', 1200 FROM invoices;
