-- Outside production an invoice's page may be on this machine, where a test's Stripe is, as a checkout's may. Which
-- addresses are kept is decided by billing.payment_page().

set role tollgate_owner;

alter table billing.invoices
	drop constraint invoices_hosted_url_check,
	drop constraint invoices_pdf_url_check,
	add constraint invoices_hosted_url_check check (hosted_url ~ ('^(https://([a-z0-9-]+\.)*stripe\.com|'
		'http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)/[!#-;=?-\[\]-~]*$')),
	add constraint invoices_pdf_url_check check (pdf_url ~ ('^(https://([a-z0-9-]+\.)*stripe\.com|'
		'http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)/[!#-;=?-\[\]-~]*$'));

reset role;
