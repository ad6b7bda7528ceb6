-- A small catalogue to try. Names and prices are data: change them here, or in the table.
insert into public.products (id, name, description, amount_minor, currency, position) values
  ('7a0e8f10-0000-4000-8000-000000000001', 'Field notebook', 'Sewn, 128 pages, dotted paper.', 2400, 'eur', 1),
  ('7a0e8f10-0000-4000-8000-000000000002', 'Desk lamp', 'Aluminium, warm light, dims to nothing.', 12900, 'usd', 2),
  ('7a0e8f10-0000-4000-8000-000000000003', 'Tea tin', 'Hōjicha from Uji, one hundred grams.', 1800, 'jpy', 3),
  ('7a0e8f10-0000-4000-8000-000000000004', 'Walking map', 'The high path in twelve sheets.', 12500, 'kwd', 4),
  ('7a0e8f10-0000-4000-8000-000000000005', 'Wool scarf', 'Spun and woven in Ísafjörður.', 780000, 'isk', 5)
on conflict (id) do nothing;

-- What is sold by the month. One plan of a group at a time; a higher position includes the lower ones.
insert into public.plans (id, product_group, tier, name, description, amount_minor, currency, interval, position) values
  ('7a0e8f10-0000-4000-8000-000000000101', 'membership', 'basic', 'Basic', 'The reading room, and the letter every month.', 900, 'eur', 'month', 1),
  ('7a0e8f10-0000-4000-8000-000000000102', 'membership', 'premium', 'Premium', 'The archive as well, and maps to print.', 1900, 'eur', 'month', 2),
  ('7a0e8f10-0000-4000-8000-000000000103', 'membership', 'exclusive', 'Exclusive', 'Two walks a year with those who drew the maps.', 4900, 'eur', 'month', 3),
  ('7a0e8f10-0000-4000-8000-000000000104', 'membership', 'elite', 'Elite', 'A map of your own, drawn once a year.', 14900, 'eur', 'month', 4)
on conflict (id) do nothing;
