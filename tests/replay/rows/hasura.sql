-- after 1736413200000
INSERT INTO vehicles (plate) VALUES ('KA 1');
INSERT INTO drivers (name, phone) VALUES ('Bo', '1');
INSERT INTO trips (vehicle_id, driver_id) SELECT id, 1 FROM vehicles;
