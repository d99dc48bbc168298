-- after 20250124101500
INSERT INTO wards (name, beds) VALUES ('North', 12);
INSERT INTO clinicians (licence, name, ward_id) VALUES ('L-1', 'Tom Arda', 1);
INSERT INTO appointments (clinician_id, patient, during, room) VALUES (1, 'A. B.', '[2025-05-01 10:00+00, 2025-05-01 10:30+00)', '[1,2)');
