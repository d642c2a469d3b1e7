/** What a new shop sells. Plenty of most; `moka-pot` is scarce and `travel-press` sold out, so that both can be seen. */
export const catalogue = `
  INSERT INTO products (id, name, description, currency_code, price_minor_units, stock) VALUES
    ('burr-grinder', 'Burr Grinder', 'Conical steel burrs, 40 settings from espresso to French press.', 'USD', 12900, 10000),
    ('ceramic-dripper', 'Ceramic Dripper', 'A cone for one or two cups, with spiral ribs.', 'USD', 2450, 10000),
    ('digital-scale', 'Digital Scale', 'Weighs to 0.1 g and times the pour.', 'USD', 3900, 2500),
    ('espresso-beans', 'Espresso Beans', 'A dark blend from Brazil and Sumatra, 1 kg, roasted this week.', 'USD', 1850, 10000),
    ('filter-papers', 'Filter Papers', 'One hundred unbleached papers for the ceramic dripper.', 'USD', 650, 10000),
    ('moka-pot', 'Moka Pot', 'Six cups, polished steel, from a small series.', 'USD', 5400, 5),
    ('pour-over-kettle', 'Pour-over Kettle', 'Gooseneck, 0.9 l, holds its temperature to the degree.', 'USD', 7900, 10000),
    ('travel-press', 'Travel Press', 'A French press in an insulated cup.', 'USD', 3200, 0)
`;
