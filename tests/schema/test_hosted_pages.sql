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

select * from finish();
rollback;
