DROP TABLE category_slugs;
DROP TABLE channel_slugs;
