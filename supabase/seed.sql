-- A small catalogue to try. Names and prices are data: change them here, or in the table.
insert into public.products (id, name, description, amount_minor, currency, position) values
  ('7a0e8f10-0000-4000-8000-000000000001', 'Field notebook', 'Sewn, 128 pages, dotted paper.', 2400, 'eur', 1),
  ('7a0e8f10-0000-4000-8000-000000000002', 'Desk lamp', 'Aluminium, warm light, dims to nothing.', 12900, 'usd', 2),
  ('7a0e8f10-0000-4000-8000-000000000003', 'Tea tin', 'Hōjicha from Uji, one hundred grams.', 1800, 'jpy', 3),
  ('7a0e8f10-0000-4000-8000-000000000004', 'Walking map', 'The high path in twelve sheets.', 12500, 'kwd', 4),
  ('7a0e8f10-0000-4000-8000-000000000005', 'Wool scarf', 'Spun and woven in Ísafjörður.', 780000, 'isk', 5)
on conflict (id) do nothing;
