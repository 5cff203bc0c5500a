-- The functions of pages run as tollgate_page, which is told once in each call who the user is (app.enter_page).

grant usage, create on schema api to tollgate_page;

-- The earlier ones stay until the new ones replace them, because programs call them meanwhile.
do $$
begin
	if to_regprocedure('api.workspace_page(uuid)') is not null then
		alter function api.workspace_page(uuid) owner to tollgate_page;
		alter function api.billing_page(uuid) owner to tollgate_page;
	end if;
end
$$;
