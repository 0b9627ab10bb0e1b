DROP TABLE family_stays;
