-- after 00001
INSERT INTO accounts (holder) VALUES ('Ines Berg');
INSERT INTO entries (account_id, booked_at, cents) VALUES (1, '2025-04-01 10:00+00', 1250);
INSERT INTO payments (account_id, reference, cents) VALUES (1, 'RF01', 1250), (1, 'RF02', 40);
-- after 00009
INSERT INTO entries_2026 (id, account_id, booked_at, cents) VALUES (7, 1, '2026-02-01 10:00+00', 99);
-- after 00011
INSERT INTO refunds (payment_id, cents) VALUES (1, 50);
