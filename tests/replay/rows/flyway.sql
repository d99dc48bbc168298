-- after 1.1
INSERT INTO catalogue.book (isbn, title, shelf) VALUES ('9780000000001', 'Tides', 'A1');
INSERT INTO lending.member (card, full_name) VALUES ('AB123456', 'Ines Berg');
INSERT INTO lending.copy (isbn) VALUES ('9780000000001');
INSERT INTO lending.loan (copy_id, card, due) VALUES (1, 'AB123456', '2020-01-01');
