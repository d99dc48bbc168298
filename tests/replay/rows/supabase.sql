-- after 20250208090000
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000001', 'ada@garden.example', '{"handle": "ada"}');
INSERT INTO gardens (name) VALUES ('Canal side');
INSERT INTO plots (garden_id, label, area_m2, holder) VALUES (1, 'A1', 20, '00000000-0000-0000-0000-000000000001');
