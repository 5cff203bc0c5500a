-- Allowances of networks within networks: near (an IPv4 address, the /64 of an IPv6 address), wide (/24, /56) and far
-- (the /48 of an IPv6 address).

insert into auth.limits (kind, allowed, per) values
	('link_near', 20, '1 hour'), ('link_wide', 100, '1 hour'), ('link_far', 300, '1 hour'),
	('draft_near', 30, '1 hour'), ('draft_wide', 150, '1 hour'), ('draft_far', 500, '1 hour'),
	('call_near', 60, '1 hour'), ('call_wide', 300, '1 hour'), ('call_far', 1000, '1 hour');
