-- after 20250106080000
INSERT INTO schools (name) VALUES ('Quay school');
INSERT INTO pupils (school_id, given_name, family_name) VALUES (1, 'Ada', 'Berg');
-- after 20250127080000
INSERT INTO marks VALUES (1, 'maths', 'autumn', 2024, 17.5), (1, 'maths', 'autumn', 2025, 18);
