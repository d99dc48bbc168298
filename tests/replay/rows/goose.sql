-- after 00001
INSERT INTO vessels (name, car_metres, passengers) VALUES ('Selkie', 900, 600);
INSERT INTO sailings (vessel_id, origin, destination, departs_at, arrives_at) VALUES (1, 'HAR', 'OOS', '2026-05-01 20:00+00', '2026-05-02 06:00+00');
INSERT INTO bookings (sailing_id, reference, email) VALUES (1, 'XK21', 'ada@ferry.example'), (1, 'XK22', 'bo@ferry.example');
