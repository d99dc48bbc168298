-- after 041
INSERT INTO rooms (floor, name) VALUES (1, 'East wing');
INSERT INTO collection.objects (inventory_number, title, room_id) VALUES ('M-1', 'Anchor', 1);
-- after 045
INSERT INTO visits VALUES (gen_random_uuid(), '2025-03-01 10:00+00', 1), (gen_random_uuid(), '2026-03-01 10:00+00', 1);
