DROP INDEX memberships_of_next_price;
