-- after 000001
INSERT INTO stations (slug, glasshouse, installed_on) VALUES ('north', 'Palm house', '2024-03-01');
-- after 000002
INSERT INTO readings VALUES (1, '2025-05-01 12:00+00', 20, 40, 3), (1, '2026-05-01 12:00+00', 21, 41, 4), (1, '2030-01-01 12:00+00', 22, 42, 5);
