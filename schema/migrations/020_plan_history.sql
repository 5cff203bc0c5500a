-- Plans of a database that was there before 010_operating got no history from it: its owner sees no rows.

insert into billing.plan_history (plan, from_at, rank, grace, features)
select p.id, '-infinity', p.rank, p.grace, p.features from billing.plans p
where not exists (select from billing.plan_history h where h.plan = p.id and h.to_at is null);
