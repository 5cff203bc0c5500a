-- Links to Stripe's hosted pages reach pages and mails, so only an address on one of Stripe's hosts may be stored. What
-- was stored before is held to that, also in the notices that have copied it.

update billing.invoices set hosted_url = null
where hosted_url !~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$';
update billing.invoices set pdf_url = null where pdf_url !~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$';
update billing.notifications set payload = payload - 'url'
where payload ->> 'url' !~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$';

alter table billing.invoices
	add constraint invoices_hosted_url_check
		check (hosted_url ~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$'),
	add constraint invoices_pdf_url_check check (pdf_url ~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$');
