-- Links to Stripe's hosted pages: only an address on one of Stripe's hosts reaches a page or a mail.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
select tap.sync('subscription', tap.subscription('ann', :'ann')) \g /dev/null

create temp table address (url text, kept boolean);
insert into address values
	('https://invoice.stripe.com/i/acct_1/test_abc?s=ap', true), ('https://pay.stripe.com/invoice/acct_1/x/pdf', true),
	('https://stripe.com/x', true),
	('javascript:alert(1)', false), ('JavaScript:alert(1)', false), ('data:text/html,x', false), ('', false),
	('http://invoice.stripe.com/i/1', false), ('//invoice.stripe.com/i/1', false), ('/i/1', false),
	('https://invoice.stripe.com', false), ('https://invoice.stripe.com.evil.example/i/1', false),
	('https://evilstripe.com/i/1', false), ('https://evil.example/https://invoice.stripe.com/i/1', false),
	('https://invoice.stripe.com@evil.example/i/1', false), ('https://invoice.stripe.com:443@evil.example/', false),
	('https://invoice.stripe.com\@evil.example/', false), (' https://invoice.stripe.com/i/1', false),
	(E'https://invoice.stripe.com/i/1\n', false), (E'x\nhttps://invoice.stripe.com/i/1', false),
	('https://invoice.stripe.com/i/1 onclick=x', false), ('https://invoice.stripe.com/"><script>', false),
	('https://invoice.stripe.com/é', false);
select is(billing.hosted_page(url), case when kept then url end, format('S13 %s', to_json(url))) from address;
select is(billing.hosted_page(null), null, 'S13 none');

select is(tap.sync('invoice', tap.invoice('ann', jsonb_build_object('hosted_invoice_url', 'javascript:alert(1)',
	'invoice_pdf', 'https://evil.example/pdf'))), '{"clean": true}', 'S13 an invoice with others is stored');
select ok(hosted_url is null and pdf_url is null, 'S13 without them') from billing.invoices where id = 'in_ann';
select throws_ok(format('update billing.invoices set %I = %L where id = ''in_ann''', c.name, a.url), '23514', null,
	format('S13 nor can %s be %s', c.name, to_json(a.url)))
from address a, (values ('hosted_url'), ('pdf_url')) c (name) where not a.kept;

-- outside production a test's Stripe is on this machine, and its pages with it
create function pg_temp.kept(p_environment text, p_url text) returns text language plpgsql as $$
begin
	update meta.stamp set environment = p_environment;
	return (select coalesce(p.hosted_url, 'none') || ' ' || coalesce(p.pdf_url, 'none')
		from billing.invoices i, billing.put_invoice(i.tenant_id, tap.invoice('ann', jsonb_build_object(
			'hosted_invoice_url', p_url, 'invoice_pdf', p_url)), false) p
		where i.id = 'in_ann');
end
$$;
select is(pg_temp.kept('development', url), url || ' ' || url, format('S13 %s in development', url))
from unnest('{http://localhost:8082/i/test_in_1?s=ap,http://127.0.0.1:1/i,"http://[::1]/i"}'::text[]) url;
select is(pg_temp.kept('production', url), 'none none', format('S13 not %s in production', url))
from unnest('{http://localhost:8082/i/test_in_1,http://127.0.0.1:1/i,"http://[::1]/i"}'::text[]) url;
select is(pg_temp.kept('development', url), 'none none', format('S13 not %s in development', url))
from unnest('{http://localhost.evil.example/i,http://10.0.0.1/i,https://localhost/i,http://localhost:80@evil.example/i}'
	::text[]) url;

select * from finish();
rollback;
