DROP TABLE plan_gateways, plan_prices, plans;
