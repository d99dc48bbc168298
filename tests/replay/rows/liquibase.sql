-- after marta:items
INSERT INTO bins (aisle, level) VALUES ('A', 1), ('A', 2);
INSERT INTO items VALUES ('cup', 'A cup', 120, '4.50');
INSERT INTO stock VALUES (1, 'cup', 10);
-- after jonas:movements
INSERT INTO movements (sku, from_bin, to_bin, quantity) VALUES ('cup', 1, 2, 3);
