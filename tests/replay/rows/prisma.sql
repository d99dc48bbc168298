-- after 20250105100000_init
INSERT INTO "Cook" (id, email, "displayName") VALUES ('c1', 'ada@cook.example', 'Ada');
INSERT INTO "Recipe" ("cookId", title) VALUES ('c1', 'Rye bread');
INSERT INTO "Ingredient" VALUES (1, 1, 'Rye', 500, 'GRAM');
