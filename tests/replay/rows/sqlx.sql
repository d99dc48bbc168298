-- after 20250301080000
INSERT INTO shows (title, feed_slug) VALUES ('Night shift', 'night-shift');
INSERT INTO episodes (show_id, number, title) SELECT id, 1, 'Lighthouse' FROM shows;
-- after 20250511110000
INSERT INTO downloads (episode_id, happened_on, country) SELECT id, '2025-05-20', 'NO' FROM episodes;
