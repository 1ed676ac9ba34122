-- A shop.
CREATE SCHEMA shop;

CREATE TYPE shop.color AS ENUM ('red', 'green');

CREATE TABLE IF NOT EXISTS shop.carts (
    id SERIAL PRIMARY KEY,
    "owner name" VARCHAR(40) NOT NULL DEFAULT 'me',
    total NUMERIC(10, 2),
    color shop.color,
    CONSTRAINT positive CHECK (total >= 0),
    FOREIGN KEY (owner_id) REFERENCES users (id)
);

CREATE UNIQUE INDEX carts_owner ON shop.carts (owner);

ALTER TABLE shop.carts ADD COLUMN note TEXT;

CREATE OR REPLACE VIEW big_carts AS
SELECT c.id, c.total FROM shop.carts c WHERE c.total > 100;

CREATE MATERIALIZED VIEW cart_totals AS
SELECT owner, sum(total) AS grand FROM shop.carts GROUP BY owner;

CREATE OR REPLACE FUNCTION add_item(cart_id INT, price NUMERIC)
RETURNS INT AS $$
BEGIN
    UPDATE carts SET total = total + price WHERE id = cart_id;
    RETURN cart_id;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE PROCEDURE shop.clear(cart_id INT)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM carts WHERE id = cart_id;
END;
$$;

CREATE TRIGGER touch AFTER UPDATE ON shop.carts
FOR EACH ROW EXECUTE FUNCTION add_item();

CREATE SEQUENCE order_numbers START 1;

WITH recent AS (SELECT * FROM big_carts)
SELECT * FROM recent;

INSERT INTO shop.carts (id, total) VALUES (1, 2);
