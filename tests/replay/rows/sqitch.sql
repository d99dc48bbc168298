-- after stations
INSERT INTO weather.stations VALUES ('HAR', 'Harwick', 'Ines', NULL, point(1, 52));
-- after measurements
INSERT INTO weather.temperatures (station, measured_at, celsius) VALUES ('HAR', '2025-01-10 12:00+00', 3.5);
INSERT INTO weather.wind (station, measured_at, knots) VALUES ('HAR', '2025-01-10 12:00+00', 12);
